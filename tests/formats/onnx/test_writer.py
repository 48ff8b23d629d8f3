"""Weights are streamed into the file, or into one file beside it, and read back unchanged by ONNX's own tools."""

from __future__ import annotations

import keras
import numpy as np
import onnx
import pytest
from keras import layers
from onnx import numpy_helper

from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError
from exporter.formats.onnx import writer
from exporter.spec import Options


def model():
    keras.utils.set_random_seed(0)
    x = keras.Input((64,), name="x")
    return keras.Model(x, layers.Dense(32, name="b")(layers.Dense(64, activation="relu", name="a")(x)), name="m")


def written(folder, **metadata):
    path = folder / "model.onnx"
    inference = Inference(model())
    formats.get("onnx").write(inference, path, Options(formats=("onnx",)), metadata)
    return inference, path


def agrees(inference, path):
    data = {"x": np.random.default_rng(0).normal(size=(3, 64)).astype("float32")}
    (got,) = formats.get("onnx").open(path).run(data).values()
    (want,) = inference.predict(data).values()
    np.testing.assert_allclose(got, want, atol=2e-6)  # sums of 64 products of size 1 in another order


def test_onnx_reads_the_streamed_weights(tmp_path):
    inference, path = written(tmp_path)
    tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}

    np.testing.assert_array_equal(tensors["a/kernel"], inference.model.get_layer("a").kernel.numpy())
    np.testing.assert_array_equal(tensors["b/bias"], inference.model.get_layer("b").bias.numpy())
    onnx.checker.check_model(str(path), full_check=True)
    agrees(inference, path)


def test_large_weights_go_into_one_file_beside(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "EXTERNAL_FROM", 20_000)
    inference, path = written(tmp_path)

    assert sorted(f.name for f in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]
    entries = {
        e.key: e.value for t in onnx.load(path, load_external_data=False).graph.initializer for e in t.external_data
    }
    assert entries["location"] == "model.onnx.data"
    assert path.stat().st_size < 3000
    onnx.checker.check_model(str(path), full_check=True)
    agrees(inference, path)


def test_a_folder_with_external_data_can_move(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "EXTERNAL_FROM", 20_000)
    (tmp_path / "here").mkdir()
    inference, _ = written(tmp_path / "here")

    agrees(inference, (tmp_path / "here").rename(tmp_path / "there") / "model.onnx")


def test_the_metadata_is_in_the_file(tmp_path):
    _, path = written(tmp_path, exporter="1.2", model="m")
    found = formats.get("onnx").inspect(path)

    assert found.metadata == {"exporter": "1.2", "model": "m"}
    assert found.facts["producer"] == "keras-exporter 1.2"
    assert found.facts["external_data"] is None


def test_each_weight_is_written_once(tmp_path):
    shared = layers.Dense(64, name="shared")
    x = keras.Input((64,), name="x")
    inference = Inference(keras.Model(x, shared(shared(shared(x)))))
    path = tmp_path / "model.onnx"
    formats.get("onnx").write(inference, path, Options(), {})

    assert path.stat().st_size < 1.2 * 4 * inference.model.count_params()


def test_what_the_standard_refuses_is_not_written(tmp_path):
    import onnx_ir as ir

    x = ir.Value(name="x", shape=ir.Shape([2]), type=ir.TensorType(ir.DataType.FLOAT))
    node = ir.Node("", "Erfc", [x], num_outputs=1)
    node.outputs[0].name = "y"
    node.outputs[0].type, node.outputs[0].shape = ir.TensorType(ir.DataType.FLOAT), ir.Shape([2])
    graph = ir.Graph([x], [node.outputs[0]], nodes=[node], opset_imports={"": 18}, name="g")

    with pytest.raises(InvalidArtifactError, match="Erfc"):
        writer.write_model(ir.Model(graph, ir_version=8), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize(("number", "encoded"), [(0, b"\0"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")])
def test_varint(number, encoded):
    assert writer._varint(number) == encoded
