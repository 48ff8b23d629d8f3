"""`--custom PKG.MODULE`: the user's modules, and what is known by name afterwards."""

from __future__ import annotations

import sys

import keras
import pytest

from exporter.errors import UsageError
from exporter.loading.custom import import_custom, known_names

MODULE = """
import keras
from keras.layers import Dense

@keras.saving.register_keras_serializable("custom_test")
class Registered(keras.layers.Layer):
    pass

class Plain(keras.layers.Layer):
    pass

def function(x):
    return x

class _Hidden(keras.layers.Layer):
    pass
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder in which the user stands; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)) or name == "pkg":
            del sys.modules[name]


def write(project, name, text=MODULE):
    (project / f"{name}.py").write_text(text)
    return name


def test_what_a_module_defines(project):
    found = import_custom([write(project, "my_layers")])
    assert set(found) == {"Registered", "Plain", "function"}
    assert keras.saving.get_registered_object("custom_test>Registered") is found["Registered"]


def test_module_of_a_package(project):
    (project / "pkg").mkdir()
    (project / "pkg" / "layers.py").write_text(MODULE)
    assert "Plain" in import_custom(["pkg.layers"])


def test_no_modules():
    assert import_custom([]) == {}


@pytest.mark.parametrize("name", ["no_such_module", "no.such.module", "my_layers.py", "", "./x", "..x", "a b"])
def test_module_that_is_not_there(project, name):
    write(project, "my_layers")
    with pytest.raises(UsageError, match="cannot be imported") as caught:
        import_custom([name])
    assert name in str(caught.value)
    assert "PKG.MODULE" in str(caught.value)


def test_module_that_fails(project):
    write(project, "broken", "raise RuntimeError('no licence')")
    with pytest.raises(UsageError) as caught:
        import_custom(["broken"])
    assert "RuntimeError: no licence" in str(caught.value)
    assert "import broken" in str(caught.value)


def test_module_that_needs_another(project):
    write(project, "needy", "import module_that_nobody_has")
    with pytest.raises(UsageError) as caught:
        import_custom(["needy"])
    assert "module_that_nobody_has" in str(caught.value)
    assert "import needy" in str(caught.value)


def test_module_that_ends_the_process(project):
    write(project, "quitter", "import sys; sys.exit(3)")
    with pytest.raises(UsageError) as caught:
        import_custom(["quitter"])
    assert "SystemExit" in str(caught.value)


def test_two_modules_with_one_name(project):
    with pytest.raises(UsageError, match="Plain") as caught:
        import_custom([write(project, "one", "class Plain: pass"), write(project, "two", "class Plain: pass")])
    assert "one has it too" in str(caught.value)


def test_the_same_module_twice(project):
    name = write(project, "once")
    assert import_custom([name, name]) == import_custom([name])


def test_a_file_of_the_project_shadows_no_installed_module(project):
    write(project, "keras", "raise RuntimeError('shadowed')")
    import_custom([write(project, "mine", "import keras")])


def test_known_names_hold_our_own(project):
    names = known_names({"Passed": dict})
    assert names.find("exporter>Mish") is not None
    assert names.find("exporter>Huber") is not None
    assert names.find("exporter>elish") is not None
    assert names.find("Passed") is dict
    assert names.find("nothing") is None


def test_functions_of_old_files_are_found_without_their_package():
    names = known_names(None)
    assert names.find("elish") is None
    assert names.find_function("elish") is names.find("exporter>elish")
    assert names.find_function("other>elish") is None
