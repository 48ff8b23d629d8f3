"""The first layer that an ONNX file computes otherwise is found, whatever stands before and behind it."""

from __future__ import annotations

import keras
import numpy as np
import onnx
import pytest
from keras import layers
from onnx import numpy_helper

import exporter
from exporter.errors import InvalidArtifactError, UsageError
from exporter.layers import LayerNormalization


def convolution():
    block = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
        ],
        name="block",
    )
    x = inputs = keras.Input((8, 8, 4))
    x = layers.Activation("mish")(block(layers.Conv2D(4, 1, name="first")(x)))
    x = LayerNormalization(name="own")(x)
    return keras.Model(
        inputs, layers.Dense(3, activation="softmax", name="last")(layers.Flatten()(x)), name="convolution"
    )


def attention():
    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 8, name="embedding")(inputs)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 4, name="attention")(x, x)])
    x = layers.Dense(8, activation="gelu", name="dense")(layers.LayerNormalization(name="norm")(x))
    return keras.Model(inputs, x, name="attention")


def recurrent():
    inputs = keras.Input((6, 4))
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="gru")(inputs)
    return keras.Model(inputs, layers.Dense(2, name="dense")(layers.LSTM(4, name="lstm")(x)), name="recurrent")


def projections():
    inputs = keras.Input((5, 16))
    x = layers.Dense(32, activation="gelu", name="up")(layers.LayerNormalization(name="norm")(inputs))
    x = layers.Activation("relu", name="relu")(layers.Dense(32, name="wide")(layers.Dense(16, name="down")(x)))
    return keras.Model(inputs, layers.Dense(16, name="out")(x), name="projections")


MODELS = {f.__name__: f for f in (convolution, attention, recurrent, projections)}


@pytest.fixture(scope="module", params=MODELS)
def exported(request, tmp_path_factory):
    """A model, with the weights of no layer at zero, and its file."""
    keras.utils.set_random_seed(0)
    model, rng = MODELS[request.param](), np.random.default_rng(0)
    for v in model.trainable_weights:
        v.assign(v + rng.normal(0, 0.1, v.shape))
    folder = tmp_path_factory.mktemp(request.param) / "out"
    exporter.export(model, folder, formats=("onnx",), verify=False).raise_for_status()
    return model, folder / "model.onnx"


def changed(file, weight, target):
    """Copy the file with one weight a hundredth off."""
    proto = onnx.load(file)
    for tensor in proto.graph.initializer:
        if weight in tensor.name:
            array = numpy_helper.to_array(tensor).copy()
            array.flat[:: max(1, array.size // 3)] *= 1.01
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
            onnx.save(proto, target)
            return
    raise AssertionError(f"no weight {weight!r} among {[t.name for t in proto.graph.initializer]}")


def test_a_right_file_differs_nowhere(exported):
    location = exporter.locate(*exported)
    assert location
    assert location.first is None
    assert location.layers


PLACES = {
    "convolution": {"first/kernel": "first", "conv/kernel": "block/conv", "own/gamma": "own", "last/kernel": "last"},
    "attention": {"embeddings": "embedding", "query/kernel": "attention/query", "norm/gamma": "norm"},
    "projections": {name: name.partition("/")[0] for name in ("up/kernel", "down/kernel", "wide/kernel", "out/kernel")},
    "recurrent": {"gru_cell/kernel": "gru", "lstm_cell/kernel": "lstm", "dense/kernel": "dense"},
}


def test_the_layer_of_a_changed_weight_is_found(exported, tmp_path):
    model, file, places = *exported, PLACES[exported[0].name]
    for weight, layer in places.items():
        changed(file, weight, tmp_path / "changed.onnx")
        location = exporter.locate(model, tmp_path / "changed.onnx")
        assert not location
        assert (weight, location.first.name) == (weight, layer)
        assert not location.first.alone.ok


def test_a_file_of_a_fixed_batch(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    exporter.export(model, tmp_path / "out", formats=("onnx",), batch=5).raise_for_status()
    location = exporter.locate(model, tmp_path / "out" / "model.onnx")
    assert location
    assert [layer.name for layer in location.layers] == ["a", "b"]


def test_narrow_floats_are_compared_as_keras_rounds_them(tmp_path):
    inputs = keras.Input((4,))
    x = layers.Dense(8, activation="relu", dtype="mixed_float16")(inputs)
    model = keras.Model(inputs, layers.Dense(2, dtype="float32")(x))
    exporter.export(model, tmp_path / "out", formats=("onnx",)).raise_for_status()
    assert exporter.locate(model, tmp_path / "out" / "model.onnx").first is None


def test_files_that_tell_nothing_of_layers(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    exporter.export(model, tmp_path / "out", formats=("onnx", "tflite")).raise_for_status()
    bare = onnx.load(tmp_path / "out" / "model.onnx")
    del bare.metadata_props[:]
    onnx.save(bare, tmp_path / "bare.onnx")
    for path in (tmp_path / "bare.onnx", tmp_path / "out" / "model.tflite"):
        with pytest.raises(UsageError, match="which layer"):
            exporter.locate(model, path)


def test_a_file_of_another_model(tmp_path):
    first = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(3, name="y")])
    second = keras.Sequential([keras.Input((4,), name="other"), layers.Dense(3, name="y")])
    exporter.export(first, tmp_path / "out", formats=("onnx",)).raise_for_status()
    with pytest.raises(InvalidArtifactError, match="inputs are not the model's"):
        exporter.locate(second, tmp_path / "out" / "model.onnx")


class Counted(keras.Model):
    """A functional model that makes its layers itself: Keras counts their names anew for each."""

    def __init__(self):
        inputs = keras.Input((4,))
        hidden = layers.Dense(8, activation="relu")(inputs)
        super().__init__(inputs, [layers.Dense(3)(hidden), layers.Dense(2)(layers.Dense(5, "tanh")(hidden))])


class CountedLater(keras.Model):
    """The same without a graph."""

    def __init__(self):
        super().__init__()
        self.hidden, self.first, self.second = layers.Dense(8, activation="relu"), layers.Dense(3), layers.Dense(2)

    def call(self, pixels):
        hidden = self.hidden(pixels)
        return {"first": self.first(hidden), "second": self.second(hidden)}


@pytest.mark.parametrize("make", [Counted, CountedLater])
def test_a_model_whose_names_are_counted_anew(make, tmp_path):
    old, new = make(), make()
    for model in (old, new):
        model(np.zeros((2, 4), "float32"))
    new.set_weights(old.get_weights())
    exporter.export(old, tmp_path / "out", formats=("saved_model", "tflite", "onnx")).raise_for_status()

    report = exporter.verify(tmp_path / "out", new)
    assert report.ok
    assert any("counted" in note for note in report["onnx"].parity.notes) is (make is Counted)
    location = exporter.locate(new, tmp_path / "out" / "model.onnx")
    assert location
    assert {layer.name for layer in location.layers} == {layer.name for layer in new.layers if layer.weights}

    new.layers[-1].kernel.assign_add(np.ones(new.layers[-1].kernel.shape, "float32"))
    assert exporter.locate(new, tmp_path / "out" / "model.onnx").first.name == new.layers[-1].name


def test_verify_and_locate_say_that_a_file_was_trusted(tmp_path):
    model = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(3)])
    model.save(tmp_path / "model.keras")
    exporter.export(model, tmp_path / "out", formats=("onnx",)).raise_for_status()
    for trust in (False, True):
        location = exporter.locate(tmp_path / "model.keras", tmp_path / "out" / "model.onnx", trust=trust)
        report = exporter.verify(tmp_path / "out", tmp_path / "model.keras", trust=trust)
        assert location.ok
        assert report.ok
        for problems in (location.problems, report.problems):
            assert any("trust" in problem.reason for problem in problems) == trust
