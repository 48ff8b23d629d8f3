"""ReLU with bounds, slopes and thresholds, and PReLU with shared axes: over the boundary ladder."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.values import ladder

FORMS = [
    ({}, {"Relu"}),
    ({"max_value": 6.0}, {"Clip"}),
    ({"negative_slope": 0.1}, {"LeakyRelu"}),
    ({"max_value": 6.0, "negative_slope": 0.1}, {"LeakyRelu", "Min"}),
    ({"threshold": 1.5}, None),
    ({"max_value": 6.0, "negative_slope": 0.1, "threshold": 1.5}, None),
    ({"max_value": 0.0}, {"Clip"}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("arguments", "forms"), FORMS, ids=str)
def test_relu(arguments, forms, dtype):
    exported = export(keras.Sequential([keras.Input((1,), dtype=dtype), layers.ReLU(**arguments, dtype=dtype)]))
    exported.check(ladder(dtype))
    exported.check(ladder(dtype)[:0])
    if forms and dtype == "float32":
        assert set(exported.ops) == forms


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shared", [None, [1], [1, 2]], ids=str)
def test_prelu(shared, dtype):
    layer = layers.PReLU("normal", shared_axes=shared, dtype=dtype)
    exported = export(keras.Sequential([keras.Input((3, 4, 2), dtype=dtype), layer]))
    x = normal(2, 3, 4, 2).astype(dtype)
    exported.check(x)
    exported.check(x[:0])
    x[0, 0, 0], x[1, 2, 3] = [np.nan, 3.4e38], [-3.4e38, -0.0]
    exported.check(x)
    if dtype == "float32":
        assert set(exported.ops) == {"PRelu"}


def test_prelu_of_images_adds_no_transpose():
    x = keras.Input((6, 5, 2))
    y = layers.PReLU("normal", shared_axes=[1, 2])(layers.Conv2D(3, 3)(x))
    exported = export(keras.Model(x, layers.GlobalAveragePooling2D()(y)))
    exported.check(normal(2, 6, 5, 2))
    assert exported.ops.get("Transpose", 0) <= 1
