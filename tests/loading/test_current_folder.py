"""Python files beside a downloaded model: no command runs them, in its own process or in one that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import keras
import numpy as np
import pytest

import exporter
from exporter.capture.source import open_source
from exporter.checks import COSTLY, find_problems
from exporter.cli import run
from exporter.formats.micro import runner
from exporter.loading import import_custom
from exporter.run import child_processes
from exporter.spec import Options
from tests.loading import forge

HOME = str(Path(exporter.__file__).parent.parent)
INSTALLED = [
    "exporter",
    "h5py",
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "sitecustomize",
    "tensorflow",
    "tflite_micro",
    "usercustomize",
    "yaml",
]
TRAP = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch(); raise SystemExit('a trap')\n"
OWN = """
import keras

@keras.saving.register_keras_serializable(package="beside")
class Twice(keras.layers.Layer):
    def call(self, x):
        return x * 2.0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: a model among traps that bear the names of modules."""
    for name in {*sys.stdlib_module_names, *INSTALLED} - {"__main__"}:
        (tmp_path / f"{name}.py").write_text(TRAP)
    forge.honest(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), "", *sys.path])  # as `python -m` and a console have it
    yield tmp_path
    assert sorted(tmp_path.glob("*.ran")) == []


COMMANDS = (
    ["check", "model.keras"],
    ["export", "model.keras", "-o", "out", "--to", "onnx", "--to", "tflite"],
    ["verify", "out", "--model", "model.keras"],
    ["inspect", "out/model.onnx"],
    ["locate", "out/model.onnx", "model.keras"],
    ["bench", "out"],
    ["fix", "model.keras", "-o", "fixed.keras"],
)


def test_no_command_starts_a_process_that_runs_them(folder, monkeypatch):
    """In this process everything is imported already: what would run is what children import."""
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(folder))])
    codes = {arguments[0]: run(arguments) for arguments in COMMANDS}
    assert codes["export"] == codes["check"] == codes["fix"] == 0, codes


@pytest.mark.parametrize(
    "start", [["kx"], pytest.param([sys.executable, "-P", "-m", "exporter"], marks=pytest.mark.long)]
)
def test_the_program_itself(folder, start):
    """`python -m exporter` without -P is beyond us: Python itself puts the folder first and imports from it."""
    program = [os.path.join(sysconfig.get_path("scripts"), "kx")] if start == ["kx"] else start
    environment = {**os.environ, "PYTHONPATH": HOME}
    done = subprocess.run([*program, "check", "model.keras"], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_a_child_leaves_the_folder_out(folder):
    said = subprocess.run(
        [*child_processes.command("site")],
        env=child_processes.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"'{folder}'," not in said.stdout
    assert HOME in child_processes.import_path()


def test_a_checkout_in_which_one_stands_stays(monkeypatch):
    monkeypatch.chdir(HOME)
    monkeypatch.setattr(sys, "path", [HOME, "/elsewhere", HOME])
    assert child_processes.import_path() == [HOME, "/elsewhere"]


def test_a_module_of_the_folder_that_was_named_is_found_after_all_others(folder):
    """The model is loaded in a fresh process, with the user's module from the same folder as the traps."""
    (folder / "module_beside_the_model.py").write_text(OWN)
    sys.path[:] = [path for path in sys.path if path not in ("", str(folder))]
    own = import_custom(["module_beside_the_model"])
    model = keras.Sequential([keras.Input((3,)), own["Twice"]()])
    source = open_source(model, None, trust=False)
    find_problems(source, Options())  # registers the rules
    assert list(COSTLY["reload"](source, Options())) == []


def test_the_interpreter_for_microcontrollers(folder):
    """Its process lists what it has imported from: nothing of the folder."""
    command = child_processes.command(runner.__name__.replace("runner", "worker"), "no file", "1", "1", "1")
    done = subprocess.run(command, env=child_processes.environment(), capture_output=True, text=True, check=False)
    assert "a trap" not in done.stderr


def test_every_process_is_started_by_one_function():
    package = Path(exporter.__file__).parent
    starters = [path for path in package.rglob("*.py") if "sys.executable" in path.read_text()]
    assert starters == [package / "run" / "child_processes.py"]


def test_an_array_survives(folder):
    """The trap of numpy.py does not reach the data either."""
    model = exporter.load("model.keras")
    assert np.isfinite(np.asarray(model(np.ones((1, 2), "f4")))).all()
