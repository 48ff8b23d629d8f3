"""Convolutions over time as convolutions over images: which, what stands between them, and that the numbers are Keras's."""

from __future__ import annotations

import keras
import numpy as np
import onnx
import pytest
from keras import layers, ops

import exporter
from exporter.capture.inference import Inference
from exporter.formats.onnx.build import build
from exporter.spec import Options
from tests.formats.onnx.lowerings.exported import export, normal

CHANNELS = 16


def conv(filters=CHANNELS, size=3, **arguments):
    return layers.Conv1D(filters, size, bias_initializer="normal", **{"padding": "same", **arguments})


def model_of(call, shape=(12, CHANNELS)):
    keras.utils.set_random_seed(0)
    x = keras.Input(shape)
    model = keras.Model(x, call(x))
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_mean.assign(normal(*layer.moving_mean.shape))
            layer.moving_variance.assign(1 + abs(normal(*layer.moving_variance.shape)))
    return model


def kernels(model):
    """Return the number of axes that each convolution moves along."""
    graph = build(Inference(model), Options(), {}).graph
    return [len(node.attributes["kernel_shape"].as_ints()) for node in graph if node.op_type == "Conv"]


CONVOLUTIONS = {
    "same": {},
    "valid": {"padding": "valid"},
    "causal and dilated": {"padding": "causal", "dilation_rate": 2},
    "with strides": {"strides": 2},
    "an even window": {"size": 4, "strides": 3},
    "in groups of one": {"groups": CHANNELS},
    "with an activation": {"activation": "mish"},
    "without bias": {"use_bias": False},
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("length", [12, None], ids=["fixed", "dynamic"])
def test_convolutions(name, length):
    model = model_of(conv(**CONVOLUTIONS[name]), (length, CHANNELS))
    padded_at_run_time = length is None and "strides" in CONVOLUTIONS[name]
    assert kernels(model) == [1 if padded_at_run_time else 2]
    made = export(model)
    for batch in (1, 3):
        made.check(normal(batch, 12, CHANNELS))
    if length is None:
        made.check(normal(2, 7, CHANNELS))


def residual(x):
    y = layers.Activation("relu")(layers.BatchNormalization()(conv(padding="causal", dilation_rate=2)(x)))
    return x + conv()(y)


BETWEEN = {
    "blocks": lambda x: residual(residual(conv()(x))),
    "pooling": lambda x: conv()(layers.MaxPooling1D(2)(conv()(x))),
    "mean pooling": lambda x: conv()(layers.AveragePooling1D(3, strides=2, padding="same")(conv()(x))),
    "channels side by side": lambda x: conv()(layers.Concatenate()([conv()(x), ops.tanh(conv()(x))])),
    "numbers and one for each channel": lambda x: conv()(ops.clip(2.0 * conv()(x), -1, 1) * normal(CHANNELS) + 0.5),
    "kernels of one step": lambda x: conv(size=1)(conv(size=1)(conv()(x))),
    "a gate": lambda x: conv()(ops.tanh(y := conv()(x)) * ops.sigmoid(y)),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_nothing_between_leaves_the_image(name):
    made = export(model_of(BETWEEN[name]))
    for batch in (1, 3):
        made.check(normal(batch, 12, CHANNELS))
    assert made.ops.get("Unsqueeze", 0) <= 1
    assert made.ops.get("Squeeze", 0) <= 1


LEFT = {
    "normalized over time": lambda x: conv()(layers.LayerNormalization(axis=1)(conv()(x))),
    "multiplied by other sequences": lambda x: conv()(x) * x,
    "times of its own length": lambda x: conv()(conv()(x) * np.arange(12.0, dtype="float32")[:, None]),
    "a sum over all": lambda x: ops.sum(conv()(x), axis=1),
    "the sequence itself, too": lambda x: [y := conv()(x), ops.sum(conv()(y), axis=1)],
    "a recurrent layer": lambda x: layers.GRU(4)(conv()(x)),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_takes_sequences_gets_them(name):
    made = export(model_of(LEFT[name]))
    for batch in (1, 3):
        made.check(normal(batch, 12, CHANNELS))


STAYS = {
    "channels that fill no blocks": ({"filters": 10}, CHANNELS),
    "blocks that fill none": ({}, 10),
    "kernels of one step": ({"size": 1}, CHANNELS),
    "many channels": ({"filters": 144}, 144),
    "groups of several": ({"filters": 32, "groups": 2}, 32),
}


@pytest.mark.parametrize("name", STAYS)
def test_others_stay(name):
    arguments, channels = STAYS[name]
    model = model_of(conv(**arguments), (12, channels))
    assert kernels(model) == [1]
    export(model).check(normal(2, 12, channels))


def test_channels_first():
    made = export(model_of(layers.Conv1D(CHANNELS, 3, data_format="channels_first"), (CHANNELS, 12)))
    made.check(normal(2, CHANNELS, 12))


def test_one_kernel_for_two_sequences_is_written_once():
    def call(x):
        shared = conv(32, 5)
        return shared(x) + shared(2 * x)

    model = model_of(call, (12, 32))
    made = export(model)
    made.check(normal(2, 12, 32))
    assert made.inspection.size < 2 * 4 * model.count_params()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_special_values(bad):
    made = export(model_of(residual))
    x = normal(1, 12, CHANNELS)
    x[0, 3, 2] = bad
    made.check(x)


@pytest.mark.parametrize("opset", [13, 17])
def test_lower_opsets(opset):
    export(model_of(residual), opset=opset).check(normal(2, 12, CHANNELS))


def test_the_layer_map_tells_the_images(tmp_path):
    x = keras.Input((12, CHANNELS), name="x")
    y = layers.Activation("relu", name="bend")(conv(name="first")(x))
    model = keras.Model(x, layers.GlobalAveragePooling1D(name="mean")(conv(name="second")(y)))
    exporter.export(model, tmp_path / "out", formats=["onnx"]).raise_for_status()
    file = tmp_path / "out" / "model.onnx"
    found = exporter.locate(model, file)
    assert found.first is None
    assert [layer.name for layer in found.layers] == ["first", "bend", "second", "mean"]
    proto = onnx.load(file)
    weight = next(w for w in proto.graph.initializer if "second" in w.name and "kernel" in w.name)
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * 1.5, weight.name))
    onnx.save(proto, file)
    assert exporter.locate(model, file).first.name == "second"
