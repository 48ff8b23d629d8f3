"""Reshapes that lead nowhere are left out; those that lead somewhere are one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, inside, normal


def squeeze_and_excite(x, **pooling):
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(**pooling)(x)
    gate = layers.Reshape((1, 1, channels))(gate)
    gate = layers.Conv2D(4, 1, activation="swish")(gate)
    return x * layers.Conv2D(channels, 1, activation="sigmoid")(gate)


@pytest.mark.parametrize("pooling", [{}, {"keepdims": True}])
def test_squeeze_and_excitation_stays_an_image(pooling):
    image = keras.Input((6, 6, 3))
    y = squeeze_and_excite(layers.Conv2D(16, 3, padding="same")(image), **pooling)
    made = export(keras.Model(image, layers.Conv2D(4, 1)(y)))
    for batch in (1, 3):
        made.check(normal(batch, 6, 6, 3))
    assert not {"Reshape", "Flatten", "Squeeze", "Unsqueeze"} & set(made.ops)


CHAINS = {
    "there and back": (lambda x: ops.reshape(ops.reshape(x, (-1, 12)), (-1, 3, 4)) + 1, 0),
    "there, back and there": (
        lambda x: ops.reshape(ops.reshape(ops.reshape(x, (-1, 12)), (-1, 3, 4)), (-1, 2, 6)) + 1,
        1,
    ),
    "three in a row": (lambda x: ops.reshape(ops.reshape(ops.reshape(x, (-1, 12)), (-1, 4, 3)), (-1, 2, 6)) + 1, 1),
    "an axis put in and taken out": (lambda x: ops.squeeze(ops.expand_dims(x, 1), 1) + 1, 0),
    "rows of all samples": (lambda x: ops.reshape(ops.tanh(ops.reshape(x, (-1, 4))), (-1, 3, 4)) + 1, 2),
    "one that is needed": (lambda x: ops.sum(ops.reshape(x, (-1, 12)), -1), 1),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name):
    function, expected = CHAINS[name]
    x = keras.Input((3, 4))
    made = export(keras.Model(x, function(x)))
    for batch in (1, 2, 0):
        made.check(normal(batch, 3, 4))
    assert sum(made.ops.get(kind, 0) for kind in ("Reshape", "Flatten", "Squeeze", "Unsqueeze")) <= expected


def test_two_unknown_axes_are_not_taken_for_equal():
    x = keras.Input((None, 4))
    call = inside(lambda x: ops.reshape(ops.reshape(x, (-1, 8)), (ops.shape(x)[1], -1, 4)) + 1)
    made = export(keras.Model(x, call(x)))
    for shape in ((2, 4, 4), (3, 2, 4)):
        made.check(normal(*shape))


def test_axes_without_elements():
    x = keras.Input(batch_shape=(None, 0, 4))
    made = export(keras.Model(x, ops.sum(ops.reshape(ops.reshape(x, (-1, 4)), (5, 0, 4)), axis=1)))
    made.check(np.zeros((2, 0, 4), "float32"))


def test_what_is_an_output_keeps_its_reshape():
    x = keras.Input((3, 4))
    flat = layers.Flatten()(x)
    made = export(keras.Model(x, [flat, ops.reshape(flat, (-1, 3, 4))]))
    made.check(normal(2, 3, 4))
