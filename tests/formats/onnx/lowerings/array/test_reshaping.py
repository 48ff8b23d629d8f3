"""Shapes: known, with one or more unknown axes, empty, squeezed and expanded anywhere, transposed without a node."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

NUMBERS = np.random.default_rng(0).integers(-99, 99, (3, 4, 6))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_known_but_for_the_batch(dtype):
    def function(x):
        return [
            ops.reshape(x, (-1, 24)),
            ops.reshape(x, (-1, 6)),
            ops.reshape(x, (-1,)),
            ops.reshape(x, (-1, 2, 2, 3, 2)),
            ops.ravel(x),
            ops.squeeze(ops.expand_dims(x, 1), 1),
            ops.expand_dims(x, (0, -1)),
            ops.squeeze(x[:, :1], axis=1),
            tf.squeeze(x[:, :1, :1], [1, 2]),
            ops.moveaxis(x, 0, -1),
            ops.swapaxes(x, 1, 2),
            ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, 8)),
        ]

    exported = export(model_of(inside(function), ((None, 4, 6), dtype)))
    exported.check(NUMBERS.astype(dtype))
    exported.check(NUMBERS[:1].astype(dtype))
    exported.check(NUMBERS[:0].astype(dtype))
    assert not {"Loop", "If", "Shape"} & set(exported.ops)


@pytest.mark.parametrize("opset", [13, None])
def test_several_unknown_axes(opset):
    def function(x):
        shape = ops.shape(x)
        return [
            ops.reshape(x, (shape[0], shape[1], 2, 3)),
            ops.reshape(x, (shape[0] * shape[1], 6)),
            ops.reshape(x, (shape[1], shape[0], 6)),
            ops.reshape(x, (shape[0], -1)),
            ops.reshape(x, (-1, shape[1])),
            ops.reshape(x, (shape[0], 1, shape[1], 6, 1)),
            ops.expand_dims(x, 2),
            tf.reshape(x, tf.concat([shape[:1], [-1, 3]], 0)),
        ]

    exported = export(model_of(inside(function), ((None, None, 6), "float32")), opset=opset)
    for sizes in ((3, 4), (1, 1), (2, 7)):
        exported.check(normal(*sizes, 6))


def test_several_unknown_axes_and_no_rows():
    def function(x):
        shape = ops.shape(x)
        return [ops.reshape(x, (shape[0], shape[1], 2, 3)), ops.reshape(x, (shape[0] * shape[1], 6))]

    exported = export(model_of(inside(function), ((None, None, 6), "float32")))
    for sizes in ((0, 4), (2, 0), (0, 0)):
        exported.check(normal(*sizes, 6))


def test_layers():
    x = keras.Input((4, 6))
    parts = [keras.layers.Reshape((6, 4))(x), keras.layers.Flatten()(x), keras.layers.Permute((2, 1))(x)]
    exported = export(
        keras.Model(x, [*parts, keras.layers.Reshape((-1, 2))(x), keras.layers.RepeatVector(3)(parts[1])])
    )
    for rows in (3, 1, 0):
        exported.check(normal(rows, 4, 6))


def test_transposing_twice_leaves_nothing():
    exported = export(
        model_of(
            inside(lambda x: ops.exp(ops.transpose(ops.transpose(x, (0, 2, 1)), (0, 2, 1)))), ((None, 4, 6), "float32")
        )
    )
    exported.check(normal(2, 4, 6))
    assert set(exported.ops) == {"Exp"}


def test_strange_numbers_keep_their_places():
    x = normal(2, 4, 6)
    x[0, 1, 2], x[1, 0, 0], x[1, 3, 5], x[0, 0, 0] = np.nan, np.inf, -np.inf, -0.0
    function = inside(lambda x: [ops.transpose(x), ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, 3))])
    export(model_of(function, ((None, 4, 6), "float32"))).check(x)
