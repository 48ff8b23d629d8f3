"""The whole way: files that are proven, or a folder left as it was and a reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

import exporter
from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError, LoadError, ParityError, UnsupportedError, UsageError
from exporter.formats.saved_model import SavedModel
from exporter.spec import Options

ALL = ("saved_model", "tflite", "onnx")


def small_model(name="small"):
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="features")
    y = layers.Dense(8, activation="tanh", name="hidden")(x)
    return keras.Model(
        x, {"score": layers.Dense(3, name="head")(y), "copy": layers.Dense(1, name="tail")(y)}, name=name
    )


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist") / "small"
    report = exporter.export(small_model(), folder)
    report.raise_for_status()
    return folder


def contents(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_what_lies_on_disk(dist):
    found = {f.name for f in dist.iterdir()}

    assert found == {"saved_model", "model.tflite", "model.onnx", "report.json", "report.html", "samples"}
    assert (dist / "samples" / "test_data_set_0" / "input_0.pb").is_file()


def test_the_report_tells_each_format(dist):
    report = json.loads((dist / "report.json").read_text())

    assert [a["format"] for a in report["artifacts"]] == list(ALL)
    assert all(a["ok"] and a["parity"]["reference"] == "float64" for a in report["artifacts"])


@pytest.mark.parametrize("name", ALL)
def test_names_order_and_dtypes_are_the_same_in_every_format(dist, name):
    form = formats.get(name)
    runner = form.open(dist / form.filename)

    assert [(i.name, i.dtype) for i in runner.inputs] == [("features", "float32")]
    assert [(o.name, o.dtype, o.shape[1:]) for o in runner.outputs] == [
        ("copy", "float32", (1,)),
        ("score", "float32", (3,)),
    ]


def test_inputs_without_names_have_the_same_in_every_format_and_after_a_reload(tmp_path):
    keras.Input((3,))  # so that Keras counts on
    x, y = keras.Input((3,)), keras.Input((3,), name="input_layer_0")
    model = keras.Model([x, y], layers.Dense(2)(layers.Concatenate()([x, y])))
    model.save(tmp_path / "model.keras")
    report = exporter.export(model, tmp_path / "out")

    report.raise_for_status()
    names = [x._keras_history.operation.name, "input_layer_0"]
    assert [[i.name for i in a.inspection.inputs] for a in report] == [names] * 3
    verified = exporter.verify(tmp_path / "out", tmp_path / "model.keras")
    assert verified.ok
    assert not any("counted" in note for a in verified for note in a.parity.notes)
    assert exporter.locate(tmp_path / "model.keras", tmp_path / "out" / "model.onnx")


def test_real_data_counts_in_the_verdict(tmp_path):
    data = np.random.default_rng(0).normal(size=(33, 6)).astype("float32")

    report = exporter.export(small_model(), tmp_path / "out", samples=data)

    assert report.ok
    assert {a.parity.top1 for a in report} == {1.0}
    assert report.data["real_rows"] == 33


def test_same_input_same_bytes(dist, tmp_path):
    exporter.export(small_model(), tmp_path / "again", formats=("onnx", "tflite")).raise_for_status()

    for name in ("model.onnx", "model.tflite"):
        assert (tmp_path / "again" / name).read_bytes() == (dist / name).read_bytes()


SEEDED = """
import sys
import exporter
from tests.pipeline.test_pipeline import small_model
exporter.export(small_model(), sys.argv[1], formats=("onnx", "tflite"))
"""


def test_the_order_of_sets_does_not_reach_the_files(dist, tmp_path):
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", SEEDED, str(tmp_path / seed)], env=environment, check=True)

        for name in ("model.onnx", "model.tflite"):
            assert (tmp_path / seed / name).read_bytes() == (dist / name).read_bytes()


def test_verify_runs_the_files_again_without_the_model(dist):
    before = contents(dist)

    report = exporter.verify(dist)

    assert report.ok
    assert all(a.parity.outputs for a in report)
    assert contents(dist) == before


def test_verify_against_the_model(dist):
    assert exporter.verify(dist, small_model()).ok


def corrupt_onnx(path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor).copy()
        if array.size >= 24:
            array.flat[5] *= 1.001
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(model, path)


def corrupt_tflite(path: Path) -> None:
    kernel = small_model().get_layer("hidden").kernel.numpy()
    old, new = kernel.T.copy(), kernel.T.copy()
    new.flat[5] *= np.float32(1.001)
    content = path.read_bytes()
    assert old.tobytes() in content, "the converter keeps the kernel transposed"
    path.write_bytes(content.replace(old.tobytes(), new.tobytes()))


def corrupt_saved_model(path: Path) -> None:
    kernel = small_model().get_layer("hidden").kernel.numpy()
    changed = kernel.copy()
    changed.flat[5] *= np.float32(1.001)
    model = small_model()
    model.get_layer("hidden").kernel.assign(changed)
    shutil.rmtree(path)
    SavedModel().write(Inference(model), path, Options(), {})


CORRUPT = {"onnx": corrupt_onnx, "tflite": corrupt_tflite, "saved_model": corrupt_saved_model}


@pytest.mark.parametrize("name", ALL)
def test_one_weight_off_by_a_thousandth_is_found_by_verify(dist, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(dist, copy)
    CORRUPT[name](copy / formats.get(name).filename)

    report = exporter.verify(copy)

    assert not report[name].ok
    assert isinstance(report.failure, ParityError)
    assert [a.format for a in report if not a.ok] == [name]


@pytest.mark.parametrize("name", ALL)
def test_an_export_that_goes_wrong_leaves_the_folder_as_it_was(dist, tmp_path, name, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(dist, copy)
    before, form = contents(copy), formats.get(name)
    write = form.write

    def wrong(inference, path, options, metadata):
        write(inference, path, options, metadata)
        CORRUPT[name](path)

    monkeypatch.setattr(form, "write", wrong)
    report = exporter.export(small_model(), copy)

    assert not report.ok
    with pytest.raises(ParityError) as raised:
        report.raise_for_status()
    assert ("from layer 'hidden' (Dense) on" in str(raised.value)) == (name == "onnx")
    assert contents(copy) == before
    assert {f.name for f in tmp_path.iterdir()} == {"copy", "copy.report.html", "copy.report.json"}
    assert not json.loads((tmp_path / "copy.report.json").read_text())["ok"]


def test_what_was_verified_is_kept_when_asked_for(tmp_path, monkeypatch):
    form = formats.get("tflite")
    write = form.write

    def wrong(inference, path, options, metadata):
        write(inference, path, options, metadata)
        CORRUPT["tflite"](path)

    with monkeypatch.context() as patched:
        patched.setattr(form, "write", wrong)
        report = exporter.export(small_model(), tmp_path / "out", keep_verified=True)

    assert report.failure.exit_code == 6
    assert {f.name for f in (tmp_path / "out").iterdir()} == {
        "saved_model",
        "model.onnx",
        "report.json",
        "report.html",
        "samples",
    }
    assert exporter.verify(tmp_path / "out").ok

    (tmp_path / "out.report.json").write_text((tmp_path / "out" / "report.json").read_text())
    exporter.export(small_model(), tmp_path / "out", formats=("onnx",)).raise_for_status()
    assert not (tmp_path / "out.report.json").exists()


def test_a_tolerance_of_ones_own_takes_the_place_of_the_measured_one(tmp_path, monkeypatch):
    form = formats.get("onnx")
    write = form.write

    def wrong(inference, path, options, metadata):
        write(inference, path, options, metadata)
        CORRUPT["onnx"](path)

    monkeypatch.setattr(form, "write", wrong)
    refused = exporter.export(small_model(), tmp_path / "out", formats=("onnx",), tolerance=1e-7)
    assert "--tolerance" in refused.failure.remedy
    report = exporter.export(small_model(), tmp_path / "out", formats=("onnx",), tolerance=1e-2)
    report.raise_for_status()
    assert report.data["stated_tolerance"] == 1e-2
    assert any("stated by you" in note for note in report["onnx"].parity.notes)
    assert exporter.verify(tmp_path / "out").ok


def test_a_file_that_is_damaged_is_invalid(dist, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(dist, copy)
    (copy / "model.onnx").write_bytes(b"\x08\x08" + b"\xff" * 100)

    assert isinstance(exporter.verify(copy).failure, InvalidArtifactError)


class Sorted(layers.Layer):
    """Needs an op that no format but TensorFlow's own has."""

    def call(self, x):
        import tensorflow as tf

        return tf.raw_ops.Betainc(a=tf.abs(x) + 1, b=tf.abs(x) + 1, x=tf.sigmoid(x))


def test_what_cannot_be_exported_is_named_with_its_layer(tmp_path):
    x = keras.Input((4,), name="x")
    report = exporter.export(keras.Model(x, Sorted(name="odd")(x)), tmp_path / "out")

    for name in ("onnx", "tflite"):
        assert isinstance(report[name].error, UnsupportedError)
        assert "odd" in report[name].error.where
        assert "Betainc" in str(report[name].error)
    assert report["saved_model"].error is None
    assert not (tmp_path / "out").exists()


def test_check_finds_everything_at_once():
    x = keras.Input((4,), name="x")
    y = Sorted(name="second")(Sorted(name="first")(x))

    problems = exporter.check(keras.Model(x, y), formats=("onnx",))

    assert {p.where.split(" ")[0] for p in problems if p.formats == ("onnx",)} == {"first", "second"}


def test_check_of_a_sound_model_finds_nothing():
    assert exporter.check(small_model()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"formats": ("coreml",)},
        {"formats": ()},
        {"batch": 0},
        {"tflite_batch": -1},
        {"batch": True},
        {"quantize": "int8"},
        {"tolerance": 0},
        {"tolerance": 2.0},
        {"tolerance": "1e-3"},
    ],
)
def test_wrong_arguments(tmp_path, arguments):
    with pytest.raises(UsageError):
        exporter.export(small_model(), tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_a_missing_file(tmp_path):
    with pytest.raises((LoadError, UsageError), match="nowhere"):
        exporter.export(tmp_path / "nowhere.keras", tmp_path / "out")


def test_mixed_precision_keeps_its_interface(tmp_path):
    x = keras.Input((6,), name="x")
    y = layers.Dense(4, dtype="mixed_float16", name="y")(x)
    report = exporter.export(keras.Model(x, y), tmp_path / "out")

    report.raise_for_status()
    assert {a.inspection.outputs[0].dtype for a in report} == {"float16"}


@pytest.mark.parametrize("indexed", [False, True])
def test_rows_that_depend_on_each_other_are_compared_at_the_batch_of_the_file(tmp_path, indexed):
    """Nodes of a graph along the batch: one at a time, Keras computes something else, or fails."""
    nodes, edge = keras.Input((4,), name="nodes"), keras.Input((), dtype="int32", name="edge")
    others = ops.take(nodes, edge, axis=0) if indexed else ops.mean(nodes, axis=0, keepdims=True)
    model = keras.Model([nodes, edge], nodes - others + ops.cast(edge, "float32")[:, None])
    report = exporter.export(model, tmp_path / "one", formats=("tflite",))
    report.raise_for_status()
    assert any("rows of a batch depend on each other" in note for note in report["tflite"].parity.notes)
    assert exporter.verify(tmp_path / "one").ok
    exporter.export(model, tmp_path / "six", formats=("tflite",), batch=6, tflite_batch=6).raise_for_status()


def test_a_model_that_reads_its_first_row_is_compared_at_the_batch_of_the_file(tmp_path):
    boxes = keras.Input((10, 4), name="boxes")
    model = keras.Model(boxes, {"best": boxes[0] * 2})
    report = exporter.export(model, tmp_path / "out", formats=("tflite", "onnx"))
    report.raise_for_status()
    assert report["tflite"].parity.rows > 5
    assert exporter.verify(tmp_path / "out").ok
