"""RMS normalization: the op, and the layer of this package that is right up to the largest float."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import exporter.layers
from tests.formats.onnx.lowerings.exported import export, model_of, normal
from tests.formats.onnx.lowerings.nn.test_layer_normalization import LARGEST, layer_model


@pytest.mark.parametrize(
    ("cls", "axis"),
    [
        *[(layers.RMSNormalization, axis) for axis in (-1, [2, 3])],
        *[(exporter.layers.RMSNormalization, axis) for axis in (-1, 2, [1, 3])],
    ],
    ids=str,
)
def test_axes(cls, axis):
    exported = export(layer_model(cls(axis=axis), 4, 5, 6))
    exported.check(normal(3, 4, 5, 6))
    exported.check(normal(0, 4, 5, 6))
    assert exported.ops["RMSNormalization"] == 1


@pytest.mark.parametrize("cls", [layers.RMSNormalization, exporter.layers.RMSNormalization])
def test_special_numbers(cls):
    exported = export(layer_model(cls(), 8))
    for special in (np.nan, np.inf, -np.inf, 1e18, 1e30, LARGEST):
        x = normal(4, 8)
        x[1, 3] = special
        exported.check(x)


def test_exact_layer_is_exact_on_every_row():
    exported = export(layer_model(exporter.layers.RMSNormalization(), 64))
    rows = normal(5, 64)
    rows[1] *= 1e-20
    rows[2] *= 1e18
    rows[3] *= 1e37
    rows[4] = LARGEST
    exported.check(rows)


def test_function_of_keras_ops():
    exported = export(model_of(lambda x: ops.rms_normalization(x, axis=1), ((None, 5, 6), "float32")))
    exported.check(normal(2, 5, 6))
    assert exported.ops["RMSNormalization"] == 1


def test_single_steps_before_opset_23():
    exported = export(layer_model(layers.RMSNormalization(), 5, 6), opset=22)
    exported.check(normal(2, 5, 6))
    assert "RMSNormalization" not in exported.ops


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16"])
@pytest.mark.parametrize("cls", [layers.RMSNormalization, exporter.layers.RMSNormalization])
def test_other_precisions(cls, dtype):
    export(keras.Sequential([keras.Input((6,), dtype="float64"), cls(dtype=dtype)])).check(
        normal(3, 6).astype("float64")
    )
