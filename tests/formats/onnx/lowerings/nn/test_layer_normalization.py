"""Layer normalization: the op, on any axes, and the layer of this package that is exact on every row."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import exporter.layers
from tests.formats.onnx.lowerings.exported import export, model_of, normal
from tests.formats.onnx.lowerings.weights import randomized

LARGEST = 3.4e38  # about the largest float


def layer_model(layer: keras.layers.Layer, *shape: int | None) -> keras.Model:
    return randomized(keras.Sequential([keras.Input(shape), layer]))


@pytest.mark.parametrize("axis", [-1, 1, [1, 2], [2, 3], [1, 2, 3], [1, 3]], ids=str)
@pytest.mark.parametrize("cls", [layers.LayerNormalization, exporter.layers.LayerNormalization])
def test_axes(cls, axis):
    exported = export(layer_model(cls(axis=axis), 4, 5, 6))
    exported.check(normal(3, 4, 5, 6))
    exported.check(normal(0, 4, 5, 6))
    assert exported.ops["LayerNormalization"] == 1


@pytest.mark.parametrize("options", [{"center": False}, {"scale": False}, {"center": False, "scale": False}], ids=str)
def test_without_weights(options):
    exported = export(layer_model(layers.LayerNormalization(**options), None, 6))
    exported.check(normal(3, 4, 6))
    assert set(exported.ops) == {"LayerNormalization"}


@pytest.mark.parametrize("offset", [10, 1000, 1e6])
def test_large_mean(offset):
    exported = export(layer_model(layers.LayerNormalization(epsilon=1e-6), 96))
    exported.check(normal(5, 96) + np.float32(offset))


@pytest.mark.parametrize("cls", [layers.LayerNormalization, exporter.layers.LayerNormalization])
def test_special_numbers(cls):
    exported = export(layer_model(cls(), 8))
    for special in (np.nan, np.inf, -np.inf, 1e18, 1e30, LARGEST):
        x = normal(4, 8)
        x[1, 3] = special
        exported.check(x)


def test_exact_layer_is_exact_on_every_row():
    exported = export(layer_model(exporter.layers.LayerNormalization(), 64))
    rows = normal(9, 64)
    rows[1] = 1000 + 1e-3 * rows[1]
    rows[2] = 1000.0001
    rows[3] *= 1e-20
    rows[4] *= 1e18
    rows[5] *= 1e37
    rows[6] = LARGEST
    rows[7] = np.where(rows[7] > 0, LARGEST, -LARGEST)
    rows[8] = 1e30
    exported.check(rows)


def test_function_of_keras_ops():
    exported = export(model_of(lambda x: ops.layer_normalization(x, epsilon=1e-3), ((None, 5, 6), "float32")))
    exported.check(normal(2, 5, 6))
    assert set(exported.ops) == {"LayerNormalization"}


def test_weights_that_are_computed():
    def conditioned(x, gamma, beta):
        return ops.layer_normalization(x, gamma[0], beta[0])

    exported = export(model_of(conditioned, *[((None, 6), "float32")] * 3))
    exported.check(normal(2, 6), normal(2, 6, seed=1), normal(2, 6, seed=2))


def test_sum_before_it_is_not_fused_with_it():
    x = keras.Input((5, 6))
    y = layers.LayerNormalization()(layers.Dense(6)(x) + layers.Dense(6)(x))
    exported = export(keras.Model(x, y))
    exported.check(normal(2, 5, 6))
    assert exported.ops["Sum"] == 1


def test_single_steps_before_opset_17():
    exported = export(layer_model(layers.LayerNormalization(axis=[1, 2]), 5, 6), opset=16)
    exported.check(normal(2, 5, 6))
    assert "LayerNormalization" not in exported.ops


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16"])
@pytest.mark.parametrize("cls", [layers.LayerNormalization, exporter.layers.LayerNormalization])
def test_other_precisions(cls, dtype):
    model = randomized(keras.Sequential([keras.Input((6,), dtype="float64"), cls(dtype=dtype)]))
    export(model).check(normal(3, 6).astype("float64"))
