"""The command line with everything behind it, on a model with a layer of the user's own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import jsonschema
import numpy as np
import pytest

from exporter.report.document import schema

LAYERS = """
import keras

@keras.saving.register_keras_serializable(package="end_to_end")
class Scale(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor
"""

MODEL = """
import sys, keras
from scale_layer import Scale
keras.utils.set_random_seed(0)
image = keras.Input((6, 6, 1), name="image")
x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, activation="relu")(image))
model = keras.Model(image, {"digit": Scale(name="scale")(keras.layers.Dense(5)(x))}, name="tiny")
model.save("tiny.keras")
"""

EXPORT = ("export", "tiny.keras", "-o", "out", "--custom", "scale_layer")


def shell(folder, *arguments):
    """Run `kx` in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "exporter", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder with a model file, the module of its layer, and what an export made of it in `out`."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "scale_layer.py").write_text(LAYERS)
    subprocess.run([sys.executable, "-c", MODEL], cwd=folder, capture_output=True, check=True)
    result = shell(folder, *EXPORT, "--json")
    (folder / "answer.txt").write_text(result.stdout)
    (folder / "progress.txt").write_text(result.stderr)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture
def own_folder(workshop, tmp_path, monkeypatch):
    """A copy of the workshop to damage, as the current folder."""
    copy = tmp_path / "copy"
    shutil.copytree(workshop, copy)
    monkeypatch.chdir(copy)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return copy


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_an_export_leaves(workshop):
    names = {path.name for path in (workshop / "out").iterdir()}
    assert {"model.onnx", "model.tflite", "report.html", "report.json", "samples", "saved_model"} <= names
    document = json.loads((workshop / "answer.txt").read_text())
    jsonschema.validate(document, schema())
    assert document == json.loads((workshop / "out" / "report.json").read_text())
    assert [a["format"] for a in document["artifacts"]] == ["saved_model", "tflite", "onnx"]
    assert all(a["ok"] and a["parity"]["ok"] and a["error"] is None for a in document["artifacts"])


def test_libraries_are_silent(workshop):
    lines = (workshop / "progress.txt").read_text().splitlines()
    assert lines
    assert all(line[:7].strip().replace(".", "").isdecimal() and line[7:11] == " s  " for line in lines), lines


def test_the_programs_in_the_report_run(workshop):
    from exporter.report import read_report
    from exporter.report.snippets import snippet

    for artifact in read_report(workshop / "out"):
        program = snippet(artifact)
        result = subprocess.run(
            [sys.executable, "-c", program], cwd=workshop / "out", capture_output=True, text=True, check=True
        )
        assert result.stdout == "digit (1, 5)\n"


def test_ctrl_c_in_the_middle_leaves_the_old_export(own_folder):
    before = contents(own_folder)
    command = [sys.executable, "-m", "exporter", *EXPORT]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert any("Converting to" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert err.strip().splitlines()[-1] == "✗ interrupted; no file was changed"
    assert {p for p in contents(own_folder) if "__pycache__" not in p.parts} == {
        p for p in before if "__pycache__" not in p.parts
    }
    assert contents(own_folder / "out") == {p.relative_to("out"): b for p, b in before.items() if p.parts[0] == "out"}


def test_verify_passes_and_finds_a_weight_that_is_off_by_a_thousandth(own_folder, kx):
    import onnx

    assert kx("verify", "out", "-q").code == 0
    model = onnx.load("out/model.onnx")
    [weight] = [w for w in model.graph.initializer if list(w.dims) == [64, 5] or list(w.dims) == [5, 64]]
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[np.abs(values).argmax()] *= 1.001
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, "out/model.onnx")
    answer = kx("verify", "out")
    assert answer.code == 6
    assert "differs" in answer.err


def test_an_unknown_layer_is_named_with_the_way_to_pass_it(own_folder, kx):
    import keras

    keras.saving.get_custom_objects().pop("end_to_end>Scale", None)
    answer = kx("export", "tiny.keras", "-o", "new")
    assert answer.code == 3
    assert "Scale" in answer.err
    assert "--custom" in answer.err
    assert not (own_folder / "new").exists()


@pytest.mark.parametrize("damage", ["missing", "truncated", "text", "folder", "empty"])
def test_what_is_not_a_model(own_folder, kx, damage):
    path = own_folder / f"{damage}.keras"
    if damage == "truncated":
        path.write_bytes((own_folder / "tiny.keras").read_bytes()[:2000])
    elif damage == "text":
        path.write_text("hello")
    elif damage == "folder":
        path.mkdir()
    elif damage == "empty":
        path.touch()
    for command in (("export", path, "-o", "new"), ("check", path)):
        answer = kx(*command)
        assert answer.code == 3
        assert damage in answer.err.replace("\n", "")
        assert "fix" in answer.err
    assert not (own_folder / "new").exists()


@pytest.mark.parametrize("form", ["saved_model", "tflite", "onnx"])
def test_a_full_disk(own_folder, kx, form):
    disk = own_folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk], check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        answer = kx(*("export", "tiny.keras", "-o", disk / "out", "--custom", "scale_layer", "--to", form))
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)
    assert answer.code == 1
    assert "the disk is full" in answer.err


def test_inspect_reads_every_file(own_folder, kx):
    for name in ("model.onnx", "model.tflite", "saved_model"):
        answer = kx("inspect", own_folder / "out" / name, "--json")
        assert answer.code == 0
        jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/inspection"})
        assert [i["name"] for i in answer.json["inputs"]] == ["image"]
        assert kx("inspect", own_folder / "out" / name).code == 0
