"""Order, search, uniqueness and counts: ties, NaN, infinities, extremes of integers, none at all."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

TIES = np.random.default_rng(0).integers(-3, 3, (4, 6))
INFINITE = np.float32([[np.inf, -np.inf, 0, 3.4e38, -3.4e38, np.inf], [-0.0, 0, -0.0, 1e-30, -1e-30, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_sorted(dtype):
    def function(x):
        return [
            ops.sort(x),
            ops.sort(x, axis=0),
            ops.argsort(x),
            ops.argsort(x, axis=0),
            *ops.top_k(x, 3),
            *ops.top_k(x, 6),
            ops.median(x, axis=-1),
        ]

    exported = export(model_of(inside(function), ((None, 6), dtype)))
    exported.check(TIES.astype(dtype))
    exported.check(TIES[:1].astype(dtype))
    if dtype.startswith("int"):
        low, high = np.iinfo(dtype).min + 1, np.iinfo(dtype).max
        export(model_of(inside(lambda x: [*ops.top_k(x, 4)]), ((None, 6), dtype))).check(
            np.array([[low, high, 0, -1, high, low], [1, 2, 3, high, high - 1, low]], dtype)
        )
    else:
        exported.check(INFINITE.astype(dtype))
    assert "Loop" not in exported.ops
    assert exported.ops["TopK"] >= 4


@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_in_top_k(kind):
    def function(targets, predictions):
        return [ops.in_top_k(targets, predictions, k) for k in (1, 2, 6)]

    exported = export(model_of(inside(function), ((None,), kind), ((None, 6), "float32")))
    for targets in ([0, 1, 2, 3], [5, 5, 5, 5], [-1, 6, 2**31 - 1, 0]):
        exported.check(np.array(targets, kind), TIES.astype("float32"))
        exported.check(np.array(targets[:2], kind), INFINITE)
    x = normal(4, 6)
    x[0, 0] = x[1, 5] = np.nan
    exported.check(np.array([0, 1, 2, 3], kind), x)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_non_zero(dtype):
    def function(x):
        return [*ops.nonzero(x), tf.where(x), ops.count_nonzero(x), ops.argwhere(x) if hasattr(ops, "argwhere") else x]

    exported = export(model_of(inside(function), ((None, 6), dtype)))
    exported.check(TIES.astype(dtype))
    exported.check(np.zeros((3, 6), dtype))
    exported.check(np.zeros((0, 6), dtype))
    if dtype == "float32":
        exported.check(np.concatenate([INFINITE, np.full((1, 6), np.nan, "float32")]))


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_different_elements(dtype):
    def function(x):
        flat = ops.reshape(x, (-1,))
        values, places, counts = tf.unique_with_counts(flat)
        return [*tf.unique(flat), values, places, counts]

    exported = export(model_of(inside(function), ((None, 6), dtype)))
    exported.check(TIES.astype(dtype))
    exported.check(TIES[:0].astype(dtype))
    if dtype == "float32":
        exported.check(INFINITE[:1])


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_places_in_a_sorted_row(dtype):
    def function(x, values):
        row = ops.sort(ops.reshape(x, (-1,)))
        return [ops.searchsorted(row, values, side=side) for side in ("left", "right")]

    exported = export(model_of(inside(function), ((None, 6), dtype), ((None,), dtype)))
    for values in ([0, -3, 2, 9, -9], [1], []):
        exported.check(TIES.astype(dtype), np.array(values, dtype))
    if dtype == "float32":
        exported.check(INFINITE, np.float32([np.inf, -np.inf, 0, 1e30]))


def test_digitized():
    edges = [-1.0, 0.0, 2.5]
    exported = export(model_of(inside(lambda x: ops.digitize(x, edges)), ((None, 6), "float32")))
    for x in (TIES.astype("float32"), INFINITE, normal(0, 6)):
        exported.check(x)


def test_counts():
    def function(x, w):
        return [
            ops.bincount(x, minlength=4),
            ops.bincount(x, weights=w, minlength=4),
            ops.bincount(x[0], minlength=7),
        ]

    exported = export(model_of(inside(function), ((None, 6), "int32"), ((None, 6), "float32")))
    exported.check(np.abs(TIES).astype("int32"), normal(4, 6))
    exported.check(np.abs(TIES[:1] * 0).astype("int32"), normal(1, 6))


def test_what_is_only_in_one():
    def function(x, y):
        return [*tf.raw_ops.ListDiff(x=x, y=y)]

    exported = export(model_of(inside(function), ((None,), "int32"), ((None,), "int32")))
    exported.check(np.int32([1, 2, 2, 3, 5, 1]), np.int32([2, 5]))
    exported.check(np.int32([1, 2]), np.int32([]))
    exported.check(np.int32([]), np.int32([2, 5]))
