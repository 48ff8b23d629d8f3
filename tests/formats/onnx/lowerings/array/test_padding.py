"""Padding by numbers, reflection and symmetry, of every dtype, by known and computed widths."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

NUMBERS = np.random.default_rng(0).integers(-99, 99, (2, 5, 4))


def strange():
    x = normal(2, 5, 4)
    x[0, 0], x[1, 4] = [np.nan, np.inf, -np.inf, -0.0], [3.4e38, -3.4e38, 1e-30, 0]
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_widths_that_are_known(dtype):
    def function(x):
        value = True if dtype == "bool" else 7
        return [
            ops.pad(x, ((0, 0), (1, 2), (0, 3))),
            ops.pad(x, ((1, 1),) * 3),
            ops.pad(x, ((1, 0), (0, 0), (2, 2)), constant_values=value),
            ops.pad(x, ((0, 0), (5, 2), (0, 4)), mode="symmetric"),
            ops.pad(x, ((0, 0), (0, 0), (0, 0))),
        ]

    exported = export(model_of(inside(function), ((None, 5, 4), dtype)))
    for x in (NUMBERS, NUMBERS[:1], NUMBERS[:0]):
        exported.check(x.astype(dtype))
    if dtype == "float32":
        exported.check(strange())
    assert exported.ops["Pad"] == 3
    assert exported.ops["Gather"] == 2
    assert not {"Transpose", "Loop", "If"} & set(exported.ops)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_reflected(dtype):
    def function(x):
        return [ops.pad(x, widths, mode="reflect") for widths in (((0, 0), (2, 4), (3, 0)), ((0, 0), (0, 1), (0, 0)))]

    exported = export(model_of(inside(function), ((None, 5, 4), dtype)))
    exported.check(NUMBERS.astype(dtype))
    if dtype != "int32":
        exported.check(strange().astype(dtype))
    assert set(exported.ops) == {"Pad"}


@pytest.mark.parametrize("opset", [13, None])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_widths_that_the_model_computes(dtype, opset):
    def function(x, n):
        widths = tf.stack([tf.zeros(2, tf.int32), n, n[::-1]])
        return tf.pad(x, widths), tf.pad(x, widths, constant_values=tf.cast(7, x.dtype)), tf.pad(x, widths, "REFLECT")

    exported = export(model_of(inside(function), ((None, 5, 4), dtype), ((2,), "int32")), opset=opset)
    for widths in ((0, 0), (1, 3), (3, 0)):
        exported.check(NUMBERS.astype(dtype), np.array(widths, "int32"))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 3.4e38, -1.5])
def test_strange_borders(value):
    exported = export(
        model_of(
            inside(lambda x: ops.pad(x, ((0, 0), (1, 0), (0, 2)), constant_values=value)), ((None, 5, 4), "float32")
        )
    )
    exported.check(strange())


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_layers(data_format):
    x = keras.Input((5, 6, 3) if data_format == "channels_last" else (3, 5, 6))
    y = keras.layers.ZeroPadding2D(((1, 2), (0, 3)), data_format=data_format)(x)
    y = keras.layers.Cropping2D(((0, 1), (2, 0)), data_format=data_format)(y)
    exported = export(keras.Model(x, y))
    exported.check(normal(2, *x.shape[1:]))
    exported.check(normal(0, *x.shape[1:]))
    assert "Transpose" not in exported.ops


@pytest.mark.parametrize("mode", ["SYMMETRIC", "REFLECT"])
def test_mirrored_by_computed_widths(mode):
    function = inside(lambda x, widths: [tf.pad(x, widths, mode), tf.pad(x, [[0, 0], [2, 1]], mode)])
    exported = export(model_of(function, ((None, None), "float32"), ((2, 2), "int32")))
    exported.check(normal(3, 4), np.int32([[0, 1], [2, 3]]))
    exported.check(normal(3, 4), np.int32([[0, 0], [0, 0]]))
