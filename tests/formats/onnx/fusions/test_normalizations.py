"""Layer and RMS normalization in single steps become one op, whichever way they are spelled."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tests.formats.onnx.fusions.spelled import exported
from tests.formats.onnx.lowerings.exported import export, inside, normal

SEQUENCE = ((None, 3, 6), "float32")
ROWS = 5 * normal(2, 3, 6) + 3
SPECIAL = np.stack([ROWS[0], ROWS[1]])
SPECIAL[0, 0, 1], SPECIAL[0, 1, 2], SPECIAL[1, 0], SPECIAL[1, 1] = np.nan, np.inf, 0, 7  # also rows of equal numbers


def checked(function, shape=SEQUENCE, arrays=(ROWS, SPECIAL, ROWS[:0])):
    made = exported(function, shape)
    for array in arrays:
        made.check(array)
    return dict(made.ops)


def mean(x, axis=-1):
    return ops.mean(x, axis=axis, keepdims=True)


class Weighted(layers.Layer):
    """A normalization with weights of its own."""

    def __init__(self, function, shape=(6,), beta=True):
        super().__init__()
        self.function = function
        self.weight_shape = shape
        self.has_beta = beta

    def build(self, shape):
        self.gamma = self.add_weight(shape=self.weight_shape, initializer="random_normal")
        self.beta = self.add_weight(shape=self.weight_shape, initializer="random_normal") if self.has_beta else None

    def call(self, x):
        y = self.function(x) * self.gamma
        return y + self.beta if self.has_beta else y


def layer_norm(x, axis=-1):
    return (x - mean(x, axis)) / ops.sqrt(ops.var(x, axis=axis, keepdims=True) + 1e-5)


def rms_norm(x, axis=-1):
    return x * ops.rsqrt(mean(ops.square(x), axis) + 1e-6)


def by_moments(x):
    average, variance = ops.moments(x, axes=[-1], keepdims=True)
    return (x - average) * ops.rsqrt(variance + 1e-6)


def by_tensorflow(x):
    average = tf.reduce_mean(x, -1, keepdims=True)
    centred = x - average
    return centred * tf.math.rsqrt(tf.reduce_mean(tf.square(centred), -1, keepdims=True) + 1e-6)


@pytest.mark.parametrize(
    "function",
    [
        layer_norm,
        by_moments,
        inside(by_tensorflow),
        lambda x: (x - mean(x)) / (mean((x - mean(x)) ** 2) + 1e-5) ** 0.5,
        lambda x: (x - mean(x)) / ops.sqrt(mean((x - mean(x)) * (x - mean(x))) + 1e-5),
        lambda x: layer_norm(x, [1, 2]),
    ],
)
def test_layer_normalization(function):
    assert checked(function) == {"LayerNormalization": 1}


@pytest.mark.parametrize("beta", [True, False])
@pytest.mark.parametrize("function", [layer_norm, by_moments])
def test_weights_are_part_of_it(function, beta):
    assert checked(Weighted(function, beta=beta)) == {"LayerNormalization": 1}


@pytest.mark.parametrize(
    "function",
    [
        rms_norm,
        lambda x: x / ops.sqrt(mean(x * x) + 1e-6),
        lambda x: x / ops.sqrt(1e-6 + mean(ops.power(x, 2))),
        lambda x: x * (1 / ops.sqrt(mean(x * x) + 1e-6)),
        lambda x: x * (mean(x * x) + 1e-6) ** -0.5,
        lambda x: rms_norm(x, [1, 2]),
        Weighted(rms_norm, beta=False),
    ],
)
def test_rms_normalization(function):
    assert checked(function) == {"RMSNormalization": 1}


def test_a_scale_that_is_computed():
    made = exported(lambda x: rms_norm(x) * ops.sigmoid(x[0, 0]), SEQUENCE)
    made.check(ROWS)
    assert made.ops["RMSNormalization"] == 1
    assert "Mul" not in made.ops


@pytest.mark.parametrize(
    "function",
    [
        lambda x: layer_norm(x, axis=1),
        lambda x: rms_norm(x, axis=1),
        lambda x: x / ops.sqrt(ops.sum(x * x, axis=-1, keepdims=True) + 1e-6),
        lambda x: (x - mean(x)) / (ops.std(x, axis=-1, keepdims=True) + 1e-6),
        lambda x: x / ops.sqrt(mean(x * ops.abs(x)) + 30.0),
    ],
)
def test_other_rows_and_other_sums_stay(function):
    made = checked(function)
    assert "LayerNormalization" not in made
    assert "RMSNormalization" not in made


def test_weights_of_another_shape_are_multiplied_after_it():
    assert checked(Weighted(layer_norm, shape=(3, 6))) == {"LayerNormalization": 1, "Mul": 1, "Add": 1}


def test_a_residual_is_no_beta():
    assert checked(lambda x: layer_norm(x) + x) == {"LayerNormalization": 1, "Add": 1}


def test_rows_of_a_channels_first_image():
    image = keras.Input((4, 4, 3), name="x")
    y = layers.Conv2D(6, 1)(layer_norm(layers.Conv2D(6, 3)(image)))
    made = export(keras.Model(image, y))
    made.check(normal(2, 4, 4, 3))


def test_below_the_opset_of_the_op_steps_stay():
    x = keras.Input((3, 6), name="x")
    made = export(keras.Model(x, [layer_norm(x), rms_norm(x)]), opset=16)
    made.check(ROWS)
    assert made.ops["ReduceMean"] == 3
