"""The map in the file names the tensors that hold what Keras's layers took and gave."""

from __future__ import annotations

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from keras import layers

from exporter import formats
from exporter.formats.onnx.layer_map import read
from exporter.freeze import Inference
from exporter.spec import Options


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    keras.utils.set_random_seed(0)
    block = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.LayerNormalization(name="norm"),
        ],
        name="block",
    )
    inputs = keras.Input((8, 8, 4), name="image")
    x = layers.Activation("mish", name="mish")(block(block(inputs)))
    model = keras.Model(inputs, layers.Dense(3, name="scores")(layers.GlobalAveragePooling2D(name="pool")(x)))
    path = tmp_path_factory.mktemp("map") / "model.onnx"
    formats.get("onnx").write(Inference(model), path, Options(), {})
    return model, path


def values(path, feed):
    """Return every tensor of the file that the map names."""
    model = onnx.load(path)
    names = {place.name for call in read(path) for place in (*call.inputs, *call.outputs)} - set(feed)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(names))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(sorted(names), session.run(sorted(names), feed), strict=True))


def test_the_map_names_every_call_in_order(mapped):
    names = [call.name for call in read(mapped[1])]
    inner = ["block/conv", "block/norm", "block", "block@2/conv", "block@2/norm", "block@2"]
    assert names == [*inner, "mish", "pool", "scores"]


def test_a_mapped_tensor_holds_what_the_layer_gives(mapped):
    model, path = mapped
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    found = values(path, {"image": x})
    block = model.get_layer("block")
    wanted = {"block": block(x), "block@2": block(block(x)), "scores": model(x)}
    for call in read(path):
        if call.name in wanted:
            (place,) = call.outputs
            array = found[place.name].transpose(np.argsort(place.order))
            np.testing.assert_allclose(array, wanted[call.name], rtol=0, atol=2e-5)  # 16 steps of float32 at scale 10


def test_nodes_are_named_after_the_call_in_which_they_stand(mapped):
    names = [node.name for node in onnx.load(mapped[1]).graph.node]
    calls = ("block/", "block@2/", "mish/", "pool/", "scores/")
    assert all(name.startswith(calls) for name in names if "Transpose" not in name), names


def test_a_file_without_a_map(mapped, tmp_path):
    model = onnx.load(mapped[1])
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    assert read(tmp_path / "bare.onnx") == ()
