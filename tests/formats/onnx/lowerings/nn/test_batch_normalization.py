"""Batch normalization at inference."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.nn.test_layer_normalization import layer_model


@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"center": False}, {"scale": False}, {"renorm": True}], ids=str)
@pytest.mark.parametrize("shape", [(6,), (6, 6), (5, 6, 6)], ids=str)
def test_configurations(options, shape):
    export(layer_model(layers.BatchNormalization(**options), *shape)).check(normal(3, *shape))


def test_after_a_convolution_it_is_the_op_that_is_folded():
    stack = [layers.Conv2D(8, 3), layers.BatchNormalization(), layers.GlobalAveragePooling2D()]
    exported = export(keras.Sequential([keras.Input((9, 9, 3)), *stack]))
    exported.check(normal(2, 9, 9, 3))
    assert exported.ops["BatchNormalization"] == 1


def test_channels_last_in_the_file_are_not_transposed():
    exported = export(layer_model(layers.BatchNormalization(), 5, 6))
    exported.check(normal(2, 5, 6))
    assert set(exported.ops) == {"Mul", "Add"}


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16"])
def test_other_precisions(dtype):
    model = keras.Sequential([keras.Input((4, 8), dtype="float64"), layers.BatchNormalization(dtype=dtype)])
    export(model).check(normal(3, 4, 8).astype("float64"))
