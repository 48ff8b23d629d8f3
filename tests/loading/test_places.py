"""Every place where a config may name something, times every kind of name: a file each, refused or loaded by the rule."""

from __future__ import annotations

import copy
import importlib.machinery
import json
import sys
import tempfile
import time
import tracemalloc
import types

import keras
import pytest

import exporter.activations
import exporter.layers  # noqa: F401  # registers exporter>Mish
from exporter.errors import UnsafeFileError
from exporter.loading import audit, import_custom, load
from exporter.loading.config import ConfigAudit
from exporter.loading.custom import KnownNames
from exporter.loading.hdf5 import audit_hdf5
from tests.loading import forge
from tests.loading.forge import function, layer

SECONDS, MEMORY = 10, 200 << 20  # for a refusal, on a busy machine


def of_keras(namespace, name, /, **config):
    return {"module": namespace, "class_name": name, "config": config, "registered_name": None}


def compiled(**training):
    """A model that is compiled with these."""
    return lambda thing: {"compile_config": {"optimizer": "sgd", **{key: put(thing) for key, put in training.items()}}}


def in_layer(name, key, **config):
    """A layer with the thing under an argument."""
    return lambda thing: {"layers": [layer(name, **config, **{key: thing})]}


# What stands around the thing: `layers` are added to an honest model, other keys are set at its root.
PLACES = {
    "a layer": lambda thing: {"layers": [thing]},
    "Bidirectional.layer": in_layer("Bidirectional", "layer"),
    "Bidirectional.backward_layer": in_layer(
        "Bidirectional", "backward_layer", layer=of_keras("keras.layers", "GRU", units=2)
    ),
    "TimeDistributed.layer": in_layer("TimeDistributed", "layer"),
    "RNN.cell": in_layer("RNN", "cell"),
    "StackedRNNCells.cells": lambda thing: {"layers": [layer("StackedRNNCells", cells=[thing])]},
    "Pipeline.layers": lambda thing: {"layers": [layer("Pipeline", layers=[thing])]},
    "Dense.activation": in_layer("Dense", "activation", units=2),
    "LSTM.recurrent_activation": in_layer("LSTM", "recurrent_activation", units=2),
    "Dense.kernel_initializer": in_layer("Dense", "kernel_initializer", units=2),
    "Dense.kernel_regularizer": in_layer("Dense", "kernel_regularizer", units=2),
    "Dense.kernel_constraint": in_layer("Dense", "kernel_constraint", units=2),
    "Dense.dtype": in_layer("Dense", "dtype", units=2),
    "Dense.quantization_config": in_layer("Dense", "quantization_config", units=2),
    "PReLU.alpha_initializer": in_layer("PReLU", "alpha_initializer"),
    "Lambda.function": in_layer("Lambda", "function"),
    "Lambda.output_shape": in_layer("Lambda", "output_shape", function=function("relu", "builtins")),
    "Lambda.mask": in_layer("Lambda", "mask", function=function("relu", "builtins")),
    "Lambda.arguments": lambda thing: {
        "layers": [layer("Lambda", function=function("relu", "builtins"), arguments={"a": {"b": [thing]}})]
    },
    "TextVectorization.standardize": in_layer("TextVectorization", "standardize"),
    "TextVectorization.split": in_layer("TextVectorization", "split"),
    "an argument of a call": lambda thing: {
        "layers": [layer("Dense", units=2) | {"inbound_nodes": [{"args": [tensor(), thing], "kwargs": {}}]}]
    },
    "a build config": lambda thing: {"layers": [layer("Dense", units=2) | {"build_config": {"input_shape": thing}}]},
    "loss": compiled(loss=lambda thing: thing),
    "losses": compiled(loss=lambda thing: {"a": [thing]}),
    "metrics": compiled(metrics=lambda thing: [thing]),
    "weighted metrics": compiled(weighted_metrics=lambda thing: {"a": [[thing]]}),
    "optimizer": compiled(optimizer=lambda thing: thing),
    "inner optimizer": compiled(
        optimizer=lambda thing: of_keras("keras.optimizers", "LossScaleOptimizer", inner_optimizer=thing)
    ),
    "learning rate": compiled(optimizer=lambda thing: of_keras("keras.optimizers", "SGD", learning_rate=thing)),
    "MeanMetricWrapper.fn": compiled(metrics=lambda thing: [of_keras("keras.metrics", "MeanMetricWrapper", fn=thing)]),
    "LossFunctionWrapper.fn": compiled(
        loss=lambda thing: of_keras("keras.src.losses.losses", "LossFunctionWrapper", fn=thing, anything="else")
    ),
}
ANYTHING = {"an argument of a call", "a build config", "TextVectorization.standardize", "TextVectorization.split"}


def tensor():
    history = {"shape": [None, 2], "dtype": "float32", "keras_history": ["dense", 0, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


EXECUTED = []


@pytest.fixture(scope="module", autouse=True)
def packages():
    """Packages that are installed and have registered things, as Keras Hub does; and one of the user."""
    registered = dict(keras.saving.get_custom_objects())
    for name, file in (
        ("installed", "/x/site-packages/installed.py"),
        ("keras_hub", None),
        ("of_the_user", "/x/of_the_user.py"),
    ):
        module = sys.modules.get(name) or types.ModuleType(name)
        module.__file__ = module.__dict__.get("__file__") or file
        module.__spec__ = module.__dict__.get("__spec__") or importlib.machinery.ModuleSpec(name, None)
        run = lambda *given, **more: EXECUTED.append((given, more)) or given[0]  # noqa: E731
        run.__name__, run.__qualname__, run.__module__ = "run", "run", name
        keras.saving.register_keras_serializable(f"{name}_test", "run")(run)
        for base in (keras.layers.Layer, keras.initializers.Initializer):
            made = type("Thing", (base,), {"__module__": name, "__init__": _run_first, "get_config": lambda self: {}})
            keras.saving.register_keras_serializable(f"{name}_test", f"Thing{base.__name__}")(made)
        sys.modules.setdefault(name, module)
    yield
    keras.saving.get_custom_objects().clear()
    keras.saving.get_custom_objects().update(registered)
    for name in ("installed", "of_the_user"):
        sys.modules.pop(name, None)
    if not getattr(sys.modules["keras_hub"], "__path__", None):
        del sys.modules["keras_hub"]


def _run_first(self, *given, **more):
    EXECUTED.append((given, more))


def registered(name, class_name="X", module=None):
    return {"module": module, "class_name": class_name, "config": {}, "registered_name": name}


# Names that no place may hold in a file that nobody trusts.
HOSTILE = {
    "bytecode": {"class_name": "__lambda__", "config": {"code": "4wA=", "defaults": None, "closure": None}},
    "bytecode as a value": {"class_name": "__lambda__", "config": {"value": "4wA="}},
    "function of the standard library": function("system", "os"),
    "function of NumPy": function("load", "numpy"),
    "builtin of Python": function("eval", "builtins"),
    "function of Keras that is no model": function("get_file", "keras.utils"),
    "function of Keras that switches safety off": function("enable_unsafe_deserialization", "keras.config"),
    "class of the standard library": registered("Popen", "Popen", "subprocess"),
    "class of Keras that is denied": layer("TFSMLayer", filepath="x"),
    "class of Keras that is denied, by its home": layer("TFSMLayer", "keras.src.export.tfsm_layer", filepath="x"),
    "class of Keras that is no part of a model": of_keras("keras.callbacks", "BackupAndRestore", backup_dir="x"),
    "class of Keras under the name of a function": registered("installed_test>run", "Dense", "keras.layers"),
    "registered function": function("installed_test>run", "builtins"),
    "registered function with a module": function("installed_test>run", "installed"),
    "registered function without its package": function("run", "builtins"),
    "registered function as a text": "installed_test>run",
    "registered function as a class": registered("installed_test>run"),
    "registered function of Keras Hub": function("keras_hub_test>run", "builtins"),
    "registered function of Keras Hub as a text": "keras_hub_test>run",
    "registered function of Keras Hub as a class": registered("keras_hub_test>run", module="keras_hub.src.x"),
    "registered class of an installed package": registered("installed_test>ThingLayer"),
    "registered class as a text": "installed_test>ThingLayer",
    "registered class of Keras Hub as a text": "keras_hub_test>ThingLayer",
    "registered class as a function": function("keras_hub_test>ThingLayer", "builtins"),
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return forge.members(forge.honest(tmp_path_factory.mktemp("places")))


@pytest.fixture(autouse=True)
def _weights_are_audited_once(parts, monkeypatch):
    with tempfile.TemporaryFile() as weights:
        weights.write(parts[forge.WEIGHTS])
        weights.flush()
        if "known" not in globals():
            globals()["known"] = audit_hdf5(weights, 0, len(parts[forge.WEIGHTS]), forge.WEIGHTS)
    monkeypatch.setattr(audit, "audit_hdf5", lambda *_: known)  # noqa: F821


def placed(parts, place, thing):
    """The config of an honest model with a thing in a place."""
    document = json.loads(parts[forge.CONFIG])
    around = PLACES[place](copy.deepcopy(thing))
    document["config"]["layers"] += around.pop("layers", [])
    return document | around


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name(place, name, parts):
    findings = list(ConfigAudit(KnownNames({})).findings(placed(parts, place, HOSTILE[name])))
    assert any(finding.unsafe for finding in findings)
    assert any(word in finding.what for word in NAMED for finding in findings)


# Every name as a file in a few places, and every place in some file.
FILES = [(place, name) for i, name in enumerate(HOSTILE) for place in list(PLACES)[i % 8 :: 8]]


@pytest.mark.parametrize(("place", "name"), FILES)
def test_hostile_file(place, name, parts, tmp_path, monkeypatch):
    (folder := tmp_path / "work").mkdir()
    monkeypatch.chdir(folder)
    config = json.dumps(placed(parts, place, HOSTILE[name])).encode()
    path = forge.write(tmp_path / "hostile.keras", {**parts, forge.CONFIG: config})
    EXECUTED.clear()
    tracemalloc.start()
    start = time.monotonic()
    with pytest.raises(UnsafeFileError) as caught:
        load(path)
    assert time.monotonic() - start < SECONDS
    assert tracemalloc.get_traced_memory()[1] < MEMORY
    tracemalloc.stop()
    assert not EXECUTED
    assert not list(folder.iterdir())
    assert any(word in str(caught.value) for word in NAMED), str(caught.value)


NAMED = (
    *(
        "bytecode",
        "os.system",
        "numpy.load",
        "builtins.eval",
        "eval",
        "get_file",
        "enable_unsafe",
        "Popen",
        "TFSMLayer",
    ),
    *("BackupAndRestore", "_test>run", "Thing", "run"),
)

# One honest thing of each kind, and where it belongs.
KINDS = {
    "layer": (of_keras("keras.layers", "GRUCell", units=2), "layer activation"),
    "initializer": (of_keras("keras.initializers", "HeNormal"), "initializer"),
    "regularizer": (of_keras("keras.regularizers", "L2"), "regularizer"),
    "constraint": (of_keras("keras.constraints", "NonNeg"), "constraint"),
    "loss": (of_keras("keras.losses", "Huber"), "loss metric"),
    "metric": (of_keras("keras.metrics", "AUC"), "metric"),
    "optimizer": (of_keras("keras.optimizers", "Adam"), "optimizer"),
    "schedule": (of_keras("keras.optimizers.schedules", "CosineDecay"), "rate"),
    "policy": (of_keras("keras", "DTypePolicy", name="float32"), "dtype"),
    "function": (function("relu", "builtins"), "activation initializer regularizer constraint loss metric called"),
    "function of the user": (
        function("mine", None),
        "activation initializer regularizer constraint loss metric called",
    ),
    "function of this package": (
        function("exporter>elish", "builtins"),
        "activation initializer regularizer constraint loss metric",
    ),
    "layer of the user": (registered("Mine", "Mine"), "layer activation"),
    "layer of this package": (registered("exporter>Mish", "Mish", "exporter.layers.mish"), "layer activation"),
    "layer of Keras Hub": (registered("keras_hub_test>ThingLayer"), "layer activation"),
    "initializer of Keras Hub": (registered("keras_hub_test>ThingInitializer"), "initializer"),
    "function that the user's project registered": (
        function("of_the_user_test>run", None),
        "activation initializer regularizer constraint loss metric",
    ),
}
WANTED = {
    **dict.fromkeys(
        ("a layer", "Bidirectional.layer", "Bidirectional.backward_layer", "TimeDistributed.layer"), "layer"
    ),
    **dict.fromkeys(("RNN.cell", "StackedRNNCells.cells", "Pipeline.layers"), "layer"),
    **dict.fromkeys(("Dense.activation", "LSTM.recurrent_activation"), "activation"),
    **dict.fromkeys(("Dense.kernel_initializer", "PReLU.alpha_initializer"), "initializer"),
    "Dense.kernel_regularizer": "regularizer",
    "Dense.kernel_constraint": "constraint",
    "Dense.dtype": "dtype",
    "Dense.quantization_config": "quantization",
    "loss": "loss",
    "losses": "loss",
    "metrics": "metric",
    "weighted metrics": "metric",
    "optimizer": "optimizer",
    "inner optimizer": "optimizer",
    "learning rate": "rate",
}
CALLED = {place for place in PLACES if place.startswith("Lambda.") or place.endswith(".fn")}


class Mine(keras.layers.Layer):
    """A layer of the user."""


def mine(x):
    """A function of the user."""
    return x


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_kind_in_a_place(place, kind, parts):
    """What belongs there passes, what does not is refused; a class of Keras in a Lambda's arguments is only data."""
    thing, homes = KINDS[kind]
    names = KnownNames({"Mine": Mine, "mine": mine})
    findings = list(ConfigAudit(names).findings(placed(parts, place, thing)))
    is_function = isinstance(thing["config"], str)
    if place in ANYTHING:
        assert findings == []
    elif place in CALLED:
        assert (findings == []) is (not is_function or "called" in homes)
    else:
        assert (findings == []) is (WANTED[place] in homes.split())
    assert all(finding.unsafe for finding in findings)


def test_places_and_wanted_agree():
    assert set(WANTED) | ANYTHING | CALLED == set(PLACES)


def test_the_arguments_of_a_class_of_the_user_are_called_as_it_likes(parts):
    """`cell`, `loss` and the like mean in a user's class what the user likes."""
    thing = registered("Mine", "Mine") | {"config": {"cell": KINDS["initializer"][0], "loss": KINDS["optimizer"][0]}}
    assert list(ConfigAudit(KnownNames({"Mine": Mine})).findings(placed(parts, "a layer", thing))) == []


def test_a_root_that_is_no_model(parts):
    for thing in (KINDS["layer"][0], KINDS["optimizer"][0], registered("keras_hub_test>ThingLayer")):
        (finding,) = ConfigAudit(KnownNames({})).model_findings(thing)
        assert "where a model belongs" in finding.what


def test_a_lambda_calls_what_the_user_named():
    function_of_project = layer("Lambda", function=function("of_the_user_test>run", None), arguments={"path": "x"})
    (finding,) = ConfigAudit(KnownNames({})).findings(function_of_project)
    assert "would be called with arguments that the file chooses" in finding.what
    assert "custom_objects={'of_the_user_test>run': run}" in finding.remedy
    run = keras.saving.get_registered_object("of_the_user_test>run")
    assert list(ConfigAudit(KnownNames({"of_the_user_test>run": run})).findings(function_of_project)) == []


def test_naming_a_module_of_keras_hub_answers_for_none_of_its_functions():
    """`--custom keras_hub.models`, for the sake of a model: its functions that read and write files stay refused."""
    names = KnownNames(import_custom(["keras_hub"]))
    lambda_layer = layer("Lambda", function=function("keras_hub_test>run", None), arguments={"path": "x"})
    findings = list(ConfigAudit(names).findings(lambda_layer))
    assert findings
    assert all(finding.unsafe and "keras_hub" in finding.what for finding in findings)
    assert list(ConfigAudit(names).findings(registered("keras_hub_test>ThingLayer"))) == []
