"""Joining and taking apart: every axis, layouts, dtypes, empty parts, parts of unequal and unknown size."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

NUMBERS = np.random.default_rng(0).integers(-99, 99, (2, 3, 4, 6))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_joined(dtype):
    def function(x, y):
        return [
            ops.concatenate([x, y], 0),
            ops.concatenate([x, y, x], 1),
            ops.concatenate([x, y], -1),
            ops.concatenate([x[:, :0], y], 1),
            ops.concatenate([x], 1),
            ops.concatenate([ops.transpose(x, (0, 2, 1)), ops.transpose(y, (0, 2, 1))], 2),
            ops.stack([x, y], 0),
            ops.stack([x, y, y], 2),
            ops.stack([x, y], -1),
            ops.hstack([x, y]),
            ops.vstack([x, y]),
            ops.append(x, y, axis=1),
            ops.concatenate([x, ops.zeros((1, 4, 6), dtype)], 0),
        ]

    exported = export(model_of(inside(function), ((None, 4, 6), dtype), ((None, 4, 6), dtype)))
    for rows in (3, 1, 0):
        exported.check(*(x[:rows].astype(dtype) for x in NUMBERS))
    assert not {"Loop", "If", "SequenceConstruct"} & set(exported.ops)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_taken_apart(dtype):
    def function(x):
        return [
            *ops.split(x, 2, 1),
            *ops.split(x, 3, -1),
            *ops.split(x, [1, 4], -1),
            *ops.split(x, [0, 6], -1),
            *tf.split(x, [1, -1, 2], 2),
            *ops.unstack(x, axis=1),
            *ops.unstack(ops.transpose(x, (0, 2, 1)), axis=-1),
            *ops.array_split(x, 4, axis=2),
            *ops.split(x, 1, 1),
        ]

    exported = export(model_of(inside(function), ((None, 4, 6), dtype)))
    for rows in (3, 1, 0):
        exported.check(NUMBERS[0][:rows].astype(dtype))
    assert not {"Loop", "If", "SplitToSequence"} & set(exported.ops)


@pytest.mark.parametrize("opset", [13, None])
def test_unknown_axes(opset):
    def function(x):
        return [*tf.split(x, 2, 1), *tf.split(x, [1, 3], 2), ops.concatenate([x, x * 2], 1), ops.stack([x, -x], 1)]

    exported = export(model_of(inside(function), ((None, None, 4), "float32")), opset=opset)
    for shape in ((2, 6, 4), (1, 2, 4), (3, 0, 4), (0, 4, 4)):
        exported.check(normal(*shape))


def test_sizes_are_joined_as_numbers():
    def function(x):
        shape = ops.shape(x)
        return tf.stack([shape[0], 7, shape[1]]), tf.concat([tf.shape(x), [3, shape[0] + 1]], 0), tf.shape(x)[1:]

    exported = export(model_of(inside(function), ((None, None, 4), "float32")))
    exported.check(normal(2, 5, 4))
    exported.check(normal(0, 1, 4))


def test_strange_numbers_keep_their_places():
    x = normal(2, 4, 6)
    x[0, 1, 2], x[1, 0, 0], x[1, 3, 5], x[0, 0, 0] = np.nan, np.inf, -np.inf, -0.0
    function = inside(lambda x: [ops.concatenate([x, -x], 1), *ops.split(x, 2, 2), ops.stack([x, 2 * x], 1)])
    export(model_of(function, ((None, 4, 6), "float32"))).check(x)


def test_layers_in_the_layout_of_images():
    """Between convolutions the file has channels first: one Concat, no Transpose but those of input and output."""
    x = keras.Input((6, 5, 2))
    parts = [keras.layers.Conv2D(n, 3, padding="same")(x) for n in (2, 3)]
    y = keras.layers.Conv2D(2, 1)(keras.layers.Concatenate()([*parts, x]))
    exported = export(keras.Model(x, keras.layers.GlobalAveragePooling2D()(y)))
    exported.check(normal(2, 6, 5, 2))
    assert exported.ops.get("Transpose", 0) <= 1


@pytest.mark.parametrize("shape", [(None, 9), (None, None)])
def test_split_into_computed_sizes(shape):
    function = inside(lambda x, sizes: [*tf.split(x, sizes, axis=1, num=3), *tf.split(x, [2, -1, 4], axis=1)])
    exported = export(model_of(function, (shape, "float32"), ((3,), "int32")))
    exported.check(normal(2, 9), np.int32([2, 3, 4]))
    exported.check(normal(2, 9), np.int32([2, -1, 7]))
