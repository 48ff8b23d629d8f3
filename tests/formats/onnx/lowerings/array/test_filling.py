"""Making and repeating elements: broadcast, tiles, fills, ranges, zeros, of known and computed size."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

NUMBERS = np.random.default_rng(0).integers(-99, 99, (3, 4))
COUNT = ((1,), "int32")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_sizes_that_are_known(dtype):
    def function(x):
        return [
            ops.broadcast_to(x[:1, None], (2, 5, 4)),
            ops.broadcast_to(x[:, :1], ops.shape(x)),
            ops.tile(x, (2, 3)),
            ops.tile(x, (1, 1)),
            ops.tile(ops.transpose(x), (2, 1)),
            ops.tile(x, (2, 1, 2)),
            ops.repeat(x, 3, axis=1),
            ops.repeat(x, 2, axis=0),
            ops.zeros_like(x),
            ops.ones_like(x),
            ops.full_like(x, 1),
            ops.full((2, 3), ops.cast(1, dtype), dtype),
            ops.logical_or(ops.zeros_like(x, "bool"), ops.cast(x, "bool")),
        ]

    exported = export(model_of(inside(function), ((None, 4), dtype)))
    for rows in (3, 1):
        exported.check(NUMBERS[:rows].astype(dtype))
    assert not {"Loop", "If"} & set(exported.ops)


def test_no_rows():
    def function(x):
        return [ops.tile(x, (2, 3)), ops.zeros_like(x), ops.ones_like(x), ops.repeat(x, 2, axis=0), ops.full_like(x, 9)]

    exported = export(model_of(inside(function), ((None, 4), "float32")))
    exported.check(normal(0, 4))


@pytest.mark.parametrize("opset", [13, None])
def test_sizes_that_the_model_computes(opset):
    def function(x, n):
        count = n[0]
        return [
            tf.tile(x, [count, 2]),
            tf.fill([count, tf.shape(x)[0]], tf.constant(2.5)),
            tf.fill([count], x[0, 0]),
            tf.broadcast_to(x[:1], [count, 4]),
            tf.zeros([count, 2], tf.int32),
            tf.ones([tf.shape(x)[0], count], tf.bool),
            ops.arange(count),
            tf.range(-1, count * 2, 3),
            tf.range(count, -3, -2),
            tf.range(0.0, tf.cast(count, tf.float32), 0.5),
            ops.eye(4) * x[:1],
        ]

    exported = export(model_of(inside(function), ((None, 4), "float32"), COUNT), opset=opset)
    for n in (3, 1, 0):
        exported.check(normal(2, 4), np.array([n], "int32"))
    assert not {"Loop", "If"} & set(exported.ops)


def test_specials_keep_nothing_of_what_they_are_like():
    x = np.float32([[np.nan, np.inf, -np.inf, -0.0], [3.4e38, -3.4e38, 1e-30, 0]])
    exported = export(
        model_of(inside(lambda x: [ops.zeros_like(x), ops.ones_like(x), ops.tile(x, (1, 2))]), ((None, 4), "float32"))
    )
    exported.check(x)


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_ranges_that_are_known_are_constants(dtype):
    def function(x):
        return [ops.arange(5, dtype=dtype) + x, ops.arange(7, -8, -3, dtype=dtype) + x]

    exported = export(model_of(inside(function), ((None, 5), dtype)))
    exported.check(np.ones((2, 5), dtype))
    assert set(exported.ops) == {"Add"}


def test_spaces():
    def function(x):
        parts = [ops.linspace(x[0, 0], x[0, 1], 5), ops.linspace(x, x + 1, 3, axis=0), ops.logspace(x[0], x[0] + 1, 4)]
        return [*parts, ops.linspace(x[:, 0], x[:, 1], 4, endpoint=False), *ops.meshgrid(x[0], x[0, :2])]

    export(model_of(inside(function), ((None, 4), "float32"))).check(normal(2, 4))
