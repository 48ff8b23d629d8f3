"""ELU spelled with a Where becomes what the layer becomes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.fusions.spelled import SPECIAL, X, check, exported
from tests.formats.onnx.lowerings.exported import inside


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: ops.where(x > 0, x, ops.exp(x) - 1), {"Elu": 1}),
        (lambda x: ops.where(x >= 0, x, ops.exp(x) - 1.0), {"Elu": 1}),
        (lambda x: ops.where(x < 0, ops.exp(x) - 1, x), {"Elu": 1}),
        (lambda x: ops.where(x <= 0, ops.exp(x) - 1, x), {"Elu": 1}),
        (inside(lambda x: tf.where(x > 0, x, tf.exp(x) - 1.0)), {"Elu": 1}),
        (lambda x: ops.where(x > 0, x, 0.5 * (ops.exp(x) - 1)), {"Elu": 1}),
        (lambda x: ops.where(x > 0, x, (ops.exp(x) - 1) * 1.5), {"Elu": 1}),
        (lambda x: 1.0507 * ops.where(x > 0, x, 1.67326 * (ops.exp(x) - 1)), {"Elu": 1, "Mul": 1}),
    ],
)
def test_it_is_written_as_the_layer_is(function, expected):
    assert check(function) == expected


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.where(x > 1, x, ops.exp(x) - 1),
        lambda x: ops.where(x > 0, x, ops.exp(x) - 2),
        lambda x: ops.where(x > 0, x, ops.exp(-x) - 1),
        lambda x: ops.where(x > 0, -x, ops.exp(x) - 1),
    ],
)
def test_what_only_looks_like_it_keeps_its_where(function):
    assert check(function)["Where"] == 1


def test_float64_has_no_such_kernels():
    made = exported(lambda x: ops.where(x > 0, x, ops.exp(x) - 1), ((None, 4), "float64"))
    made.check(X.astype("float64"))
    made.check(SPECIAL.astype("float64"))
    assert "Where" in made.ops


def test_alpha_that_is_learned_stays():
    class Learned(keras.layers.Layer):
        def build(self, shape):
            self.alpha = self.add_weight(shape=(), initializer=keras.initializers.Constant(0.3))

        def call(self, x):
            return ops.where(x > 0, x, self.alpha * (ops.exp(x) - 1))

    assert check(Learned()) == {"Elu": 1}  # a number by the time of the export


@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize(
    ("shape", "op"),
    [
        ((None, 1023), "Elu"),
        ((None, 32, 32), "Max"),
        ((3, 1024), "Max"),
        ((None, 512, 257), "Elu"),
        ((None, None, 4), "Elu"),
    ],
)
def test_the_maximum_of_the_branches_while_they_fit_the_cache(alpha, shape, op):
    made = exported(lambda x: ops.elu(x, alpha), (shape, "float32"))
    made.check(np.random.default_rng(0).normal(size=[d or 3 for d in shape]).astype("float32"))
    assert made.ops[op] == 1


@pytest.mark.parametrize("alpha", [1.0, 0.25, 2.0, 0.0, -1.0])
@pytest.mark.parametrize("width", [4, 1024])
def test_elu_of_special_values(alpha, width):
    made = exported(lambda x: ops.elu(x, alpha), ((None, width), "float32"))
    for array in (X, SPECIAL):
        made.check(np.resize(array, (2, width)))
