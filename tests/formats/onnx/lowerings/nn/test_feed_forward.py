"""Two projections with an activation between: two 1x1 Conv, where they are right and nothing else needs what lies between."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.weights import randomized


def stacked(shape, *stack) -> keras.Model:
    return randomized(keras.Sequential([keras.Input(shape), *stack]))


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
@pytest.mark.parametrize("shape", [(5, 16), (None, 16), (3, 4, 16), (None, None, 16)], ids=str)
def test_two_convolutions(shape, activation):
    exported = export(stacked(shape, layers.Dense(32, activation=activation), layers.Dense(48)))
    sizes = [d or 7 for d in shape]
    for batch in (2, 0):
        exported.check(normal(batch, *sizes))
    assert exported.ops["Conv"] == 2
    assert "MatMul" not in exported.ops
    assert exported.ops["Transpose"] == 2


def test_activation_of_its_own_and_no_bias():
    stack = [layers.Dense(32, use_bias=False), layers.Activation("gelu"), layers.Dropout(0.5), layers.Dense(16)]
    exported = export(stacked((5, 16), *stack))
    exported.check(normal(2, 5, 16))
    assert exported.ops["Conv"] == 2


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
def test_specials_stay_in_their_row(special, activation):
    x = normal(3, 5, 16)
    x[1, 2, 3] = special
    export(stacked((5, 16), layers.Dense(32, activation=activation), layers.Dense(16))).check(x)


def hidden_is_needed():
    x = keras.Input((5, 16))
    hidden = layers.Dense(32, activation="relu")(x)
    return keras.Model(x, [hidden, layers.Dense(16)(hidden)])


def projection_is_needed():
    x = keras.Input((5, 16))
    projected = layers.Dense(32)(x)
    return keras.Model(x, [projected, layers.Dense(16)(layers.Activation("relu")(projected))])


OTHERS = {
    "hidden is needed": hidden_is_needed,
    "projection is needed": projection_is_needed,
    "no activation": lambda: stacked((5, 16), layers.Dense(32), layers.Dense(16)),
    "another activation": lambda: stacked((5, 16), layers.Dense(32, activation="tanh"), layers.Dense(16)),
    "odd features": lambda: stacked((5, 9), layers.Dense(32, activation="relu"), layers.Dense(16)),
    "odd units": lambda: stacked((5, 16), layers.Dense(32, activation="relu"), layers.Dense(10)),
    "odd width": lambda: stacked((5, 16), layers.Dense(33, activation="relu"), layers.Dense(16)),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_stays_a_matrix_product(make):
    model = randomized(make())
    exported = export(model)
    exported.check(normal(2, *model.inputs[0].shape[1:]))
    assert exported.ops["MatMul"] == 2
    assert "Conv" not in exported.ops


def test_block_of_an_image_network_stays_channels_first():
    x = inputs = keras.Input((6, 6, 16))
    for _ in range(2):
        y = layers.DepthwiseConv2D(3, padding="same")(x)
        y = layers.Dense(32, activation="gelu")(layers.LayerNormalization()(y))
        x = layers.Add()([x, layers.Dense(16)(y)])
    exported = export(randomized(keras.Model(inputs, layers.GlobalAveragePooling2D()(x))))
    exported.check(normal(2, 6, 6, 16))
    assert exported.ops["Transpose"] == 5  # of the input, and around each LayerNormalization


def test_gelu_is_kept_apart_from_the_bias():
    exported = export(stacked((5, 9), layers.Dense(7, activation="gelu")))
    exported.check(normal(2, 5, 9))
    assert exported.ops["Sum"] == 1
