"""The map in the file names the tensors that hold what Keras's layers took and gave."""

from __future__ import annotations

import keras
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.formats.onnx.layer_map import read
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
            array = place.to_keras(found[place.name])
            np.testing.assert_allclose(array, wanted[call.name], rtol=0, atol=2e-5)  # 16 steps of float32 at scale 10


@pytest.mark.parametrize("shape", [(5, 16), (4, 5, 16)])
@pytest.mark.parametrize("apart", [False, True])
def test_both_layers_of_a_feed_forward_pair_are_mapped(tmp_path, shape, apart):
    keras.utils.set_random_seed(0)
    own = None if apart else "gelu"
    stack = [layers.Dense(32, activation=own, name="first"), layers.Dense(16, name="second")]
    if apart:
        stack.insert(1, layers.Activation("gelu", name="gelu"))
    model = keras.Sequential([keras.Input(shape, name="x"), *stack])
    formats.get("onnx").write(Inference(model), tmp_path / "model.onnx", Options(), {})
    assert sum(node.op_type == "Conv" for node in onnx.load(tmp_path / "model.onnx").graph.node) == 2

    wanted = {"x": np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")}
    found = values(tmp_path / "model.onnx", wanted)
    given = wanted["x"]
    calls = read(tmp_path / "model.onnx")
    assert [call.name for call in calls] == [layer.name for layer in stack]
    for call, layer in zip(calls, stack, strict=True):
        taken, (place,) = call.inputs[0], call.outputs
        np.testing.assert_array_equal(
            taken.to_file(taken.to_keras(found.get(taken.name, given))), found.get(taken.name, given)
        )
        given = np.asarray(layer(given))
        np.testing.assert_allclose(place.to_keras(found[place.name]), given, rtol=0, atol=1e-5)  # sums of 32 at scale 3


def test_nodes_are_named_after_the_call_in_which_they_stand(mapped):
    names = [node.name for node in onnx.load(mapped[1]).graph.node]
    calls = ("block/", "block@2/", "mish/", "pool/", "scores/")
    assert all(name.startswith(calls) for name in names if "Transpose" not in name), names


def test_a_file_without_a_map(mapped, tmp_path):
    model = onnx.load(mapped[1])
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    assert read(tmp_path / "bare.onnx") == ()
