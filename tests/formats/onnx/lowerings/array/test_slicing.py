"""Ranges, indices, reversal and rolling: known and computed, beyond either end, of any step, dtype and layout."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

NUMBERS = np.random.default_rng(0).integers(-99, 99, (3, 5, 4))
DTYPES = ["float32", "int32", "bool"]
IMAGE = (None, 5, 4)


def strange():
    x = normal(2, 5, 4)
    x[0, 0], x[1, 4] = [np.nan, np.inf, -np.inf, -0.0], [3.4e38, -3.4e38, 1e-30, 0]
    return x


def subscripts(x):
    return [
        x[:, 1:3],
        x[:, -2:],
        x[:, :-1:2],
        x[:, ::-1],
        x[:, 3:0:-2],
        x[:, -1::-3],
        x[:, 2:2],
        x[:, 4:1],
        x[:, -99:99, 1:99],
        x[:, 99:],
        x[..., 0],
        x[:, -1],
        x[:, 2, 1],
        x[:, None],
        x[..., None, 1],
        x[:, None, 1:3, None, -1],
        x[:1],
        x[1:],
        x[::-1, ::-1, ::-1],
        x[::2],
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_known(dtype):
    exported = export(model_of(inside(subscripts), (IMAGE, dtype)))
    for x in (NUMBERS, NUMBERS[:1], NUMBERS[:0]):
        exported.check(x.astype(dtype))
    if dtype == "float32":
        exported.check(strange())
    assert set(exported.ops) <= {"Slice", "Gather", "Unsqueeze", "Identity"}


def test_unknown_axes():
    exported = export(model_of(inside(subscripts), ((None, None, None), "float32")))
    exported.check(NUMBERS.astype("float32"))
    exported.check(normal(1, 7, 2))
    assert not {"Loop", "If", "Transpose"} & set(exported.ops)


@pytest.mark.parametrize("opset", [13, None])
def test_what_the_model_computes(opset):
    def function(x, n):
        a, b = n[0], n[1]
        return x[:, a:], x[:, :b], x[:, a:b], x[:, a], x[:, a:b:2], x[:, b, ::-1], x[:, b:a:-1], x[a:, None, ..., a]

    exported = export(model_of(inside(function), (IMAGE, "float32"), ((2,), "int32")), opset=opset)
    for bounds in ((1, 3), (0, 4), (-2, -1), (3, 1), (-1, 0), (3, 4)):
        exported.check(strange(), np.array(bounds, "int32"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_dynamic_slices(dtype):
    def function(x, n):
        known = [ops.slice(x, (0, 1, 2), (1, 3, 2)), tf.slice(x, [1, 0, 1], [-1, 2, -1])]
        size = [tf.shape(x)[0], 2, 1]
        return [*known, tf.slice(x, [0, n[0], n[1]], size), tf.slice(x, [0, n[0], 0], [-1, n[1], -1])]

    exported = export(model_of(inside(function), (IMAGE, dtype), ((2,), "int32")))
    for start in ((0, 0), (1, 2), (3, 1)):
        exported.check(NUMBERS.astype(dtype), np.array(start, "int32"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_reversed_and_rolled(dtype):
    def function(x):
        return [
            ops.flip(x),
            ops.flip(x, 1),
            ops.flip(x, (0, -1)),
            ops.roll(x, 2, 1),
            ops.roll(x, -1, 0),
            ops.roll(x, 13, 0),
            ops.roll(x, (1, -2), (1, 2)),
            ops.roll(x, 5, 1),
            ops.roll(x, 3),
            ops.rot90(x),
            ops.rot90(x, 3, axes=(1, 2)),
        ]

    exported = export(model_of(inside(function), (IMAGE, dtype)))
    for x in (NUMBERS, NUMBERS[:1], NUMBERS[:0]):
        exported.check(x.astype(dtype))
    if dtype == "float32":
        exported.check(strange())
    assert not {"Loop", "Gather", "ReverseSequence"} & set(exported.ops)


def test_rolled_by_what_the_model_computes():
    def function(x, n):
        return tf.roll(x, n[0], 1), tf.roll(x, n, [1, 0]), tf.roll(x, n, [2, 2])

    exported = export(model_of(inside(function), (IMAGE, "float32"), ((2,), "int32")))
    for shifts in ((0, 0), (1, -1), (-7, 9), (5, 3), (2**31 - 1, -(2**31) + 1)):
        exported.check(strange(), np.array(shifts, "int32"))


def test_sequences_reversed():
    def function(x, n):
        plain = tf.reverse_sequence(x, n, seq_axis=1, batch_axis=0)
        turned = tf.reverse_sequence(ops.transpose(x, (1, 0, 2)), n, seq_axis=0, batch_axis=1)
        return plain, turned, tf.reverse_sequence(x, n, seq_axis=2, batch_axis=0)

    exported = export(model_of(inside(function), (IMAGE, "float32"), ((None,), "int32")))
    exported.check(strange(), np.array([0, 4], "int32"))
    exported.check(strange(), np.array([1, 3], "int32"))
    assert exported.ops["ReverseSequence"] == 2  # the transposed one is the plain one
    assert "Transpose" in exported.ops


def test_of_what_lies_otherwise():
    """After a convolution the file has channels first; slices of it take the right axes and add no Transpose."""
    import keras

    x = keras.Input((6, 5, 2))
    y = keras.layers.Conv2D(4, 3, padding="same")(x)
    parts = [y[:, 1:-1, ::2], y[..., 1:3], ops.flip(y, (1, 3)), ops.roll(y, 2, 2), y[:, 1], y[:, :, :, None, 1:]]
    z = sum(ops.sum(part) for part in parts)
    exported = export(keras.Model(x, [z, keras.layers.GlobalMaxPooling2D()(parts[0] + 0 * parts[2][:, 1:-1, ::2])]))
    exported.check(normal(2, 6, 5, 2))
    assert "Transpose" not in exported.ops or exported.ops["Transpose"] == 1  # the input's
