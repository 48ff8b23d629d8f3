"""Group normalization: InstanceNormalization of the groups."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.nn.test_layer_normalization import layer_model


@pytest.mark.parametrize(
    ("groups", "shape"),
    [(1, (5, 8)), (2, (4, 5, 8)), (8, (4, 5, 8)), (4, (2, 3, 4, 8)), (2, (None, None, 8)), (8, (None, 8))],
    ids=str,
)
def test_groups(groups, shape):
    exported = export(layer_model(layers.GroupNormalization(groups), *shape))
    sizes = [d or 5 for d in shape]
    exported.check(normal(3, *sizes))
    exported.check(normal(0, *sizes))
    assert exported.ops["InstanceNormalization"] == 1


@pytest.mark.parametrize("options", [{"axis": 1}, {"axis": 2}, {"center": False}, {"scale": False}], ids=str)
def test_configurations(options):
    exported = export(layer_model(layers.GroupNormalization(2, **options), 8, 8, 8))
    exported.check(normal(3, 8, 8, 8))
    assert exported.ops["InstanceNormalization"] == 1


def test_between_convolutions_nothing_is_transposed():
    stack = [layers.Conv2D(8, 3), layers.GroupNormalization(2), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()]
    exported = export(keras.Sequential([keras.Input((9, 9, 3)), *stack]))
    exported.check(normal(2, 9, 9, 3))
    assert exported.ops["Transpose"] == 1


@pytest.mark.parametrize("special", [np.nan, np.inf, 1e18])
def test_one_special_number(special):
    exported = export(layer_model(layers.GroupNormalization(2), 4, 4, 8))
    x = normal(3, 4, 4, 8)
    x[1, 2, 2, 5] = special
    exported.check(x)


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16"])
def test_other_precisions(dtype):
    model = keras.Sequential([keras.Input((4, 8), dtype="float64"), layers.GroupNormalization(2, dtype=dtype)])
    export(model).check(normal(3, 4, 8).astype("float64"))


def test_rows_without_other_axes():
    export(layer_model(layers.GroupNormalization(2), 8)).check(normal(3, 8))
