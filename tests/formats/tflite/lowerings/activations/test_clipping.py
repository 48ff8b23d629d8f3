"""A clip from 0 on takes its maximum first, so that the product before it can do it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.tflite.conftest import normal

X = np.array([[-4, -0.0, 0.3, 1.0, 1e30, np.nan, np.inf, -np.inf]], "float32")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 0.5, {"RELU", "MINIMUM"}),
        (0.0, 0.0, {"MINIMUM", "RELU"}),
        (0.0, -1.0, {"MINIMUM", "RELU"}),
        (-1.0, 0.5, {"MINIMUM", "MAXIMUM"}),
    ],
)
def test_values(layer, low, high, expected):
    exported = layer(lambda x: ops.maximum(ops.minimum(x, high), low), (8,))
    exported.agrees(X)
    assert set(exported.ops) == expected


def test_bounds_that_are_computed(layer):
    exported = layer(lambda x: ops.maximum(ops.minimum(x, ops.max(x, axis=-1, keepdims=True) - 1), 0.0), (8,))
    exported.agrees(normal(1, 8, scale=3))


def test_the_maximum_is_part_of_the_product_before(export):
    x = keras.Input((8,))
    y = layers.Dense(8, kernel_initializer="random_normal", bias_initializer="random_normal")(x)
    exported = export(keras.Model(x, ops.clip(0.2 * y + 0.5, 0.0, 1.0)))
    exported.agrees(normal(1, 8, scale=30))
    assert dict(exported.ops) == {"FULLY_CONNECTED": 1, "MINIMUM": 1}
