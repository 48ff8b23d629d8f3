"""ORT files: written from the same graph, proven like the others, with the list of operators, read without a runtime."""

from __future__ import annotations

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers, ops

import exporter
from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError, UnsupportedError
from exporter.formats.onnx import writer
from exporter.spec import Options


@keras.saving.register_keras_serializable("tests")
class Branch(layers.Layer):
    """A branch chosen by the values."""

    def call(self, x):
        return ops.cond(ops.any(x > 100), lambda: x * 2, lambda: ops.tanh(x))


def model():
    """Convolutions, a recurrence, and a branch, whose body holds nodes of its own."""
    image, tokens = keras.Input((8, 8, 3), name="image"), keras.Input((None,), dtype="int32", name="tokens")
    x = layers.GlobalMaxPooling2D()(layers.Conv2D(4, 3, activation="relu")(image))
    y = layers.GRU(5)(layers.Embedding(7, 3)(tokens))
    y = Branch()(y)
    return keras.Model({"image": image, "tokens": tokens}, {"score": layers.Dense(2)(layers.Concatenate()([x, y]))})


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return exporter.export(model(), tmp_path_factory.mktemp("ort") / "dist", formats=("onnx", "ort"))


def test_it_is_verified_like_the_others(report):
    report.raise_for_status()
    assert report["ort"].path.name == "model.ort"
    assert report["ort"].parity.ok
    assert report["ort"].parity.rows == report["onnx"].parity.rows
    assert exporter.verify(report.directory).ok


def test_nothing_else_is_written(report):
    names = {path.name for path in report.directory.iterdir()} - {"report.json", "report.html", "samples"}
    assert names == {"model.onnx", "model.ort", "model.required_operators.config"}


def test_inspection(report):
    found = report["ort"].inspection
    onnx = report["onnx"].inspection
    assert (found.inputs, found.outputs) == (onnx.inputs, onnx.outputs)
    assert found.facts["opset"] == onnx.facts["opset"]
    assert found.facts["required_operators"] == "model.required_operators.config"
    assert found.metadata == onnx.metadata
    assert found.ops["GRU"] == 1
    assert found.ops["Tanh"] == 1, "in the body of the branch"
    assert formats.of_path(report["ort"].path).name == "ort"


def test_the_required_operators_are_those_of_the_file(report):
    text = (report.directory / "model.required_operators.config").read_text()
    listed = {entry.partition("{")[0] for line in text.splitlines()[1:] for entry in operators(line)}
    assert listed == set(report["ort"].inspection.ops)
    assert str(report.directory) not in text


def operators(line):
    """Split "domain;opset;A,B{...},C" at the commas outside of braces."""
    depth, parts = 0, [""]
    for letter in line.split(";", 2)[2]:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def test_it_runs_where_optimizing_is_off(report):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(report["ort"].path), options)
    (score,) = session.run(None, {"image": np.ones((2, 8, 8, 3), "float32"), "tokens": np.ones((2, 4), "int32")})
    assert score.shape == (2, 2)


def test_what_is_no_ort_file_is_refused(tmp_path):
    (tmp_path / "model.ort").write_bytes(b"\0" * 64)
    with pytest.raises(InvalidArtifactError):
        formats.get("ort").inspect(tmp_path / "model.ort")


def test_a_model_too_large_for_one_file_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "EXTERNAL_FROM", 1000)
    inference = Inference(keras.Sequential([keras.Input((30,)), layers.Dense(30)]))
    with pytest.raises(UnsupportedError, match="2 GiB"):
        formats.get("ort").write(inference, tmp_path / "model.ort", Options(), {})
    assert not list(tmp_path.iterdir())
