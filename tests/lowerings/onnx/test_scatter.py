"""Writing at indices: equal indices add, multiply, contend; segments without rows; slices that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.lowerings.onnx.exported import export, inside, model_of, normal

PLACES = np.int32([[0], [2], [2], [4]])
IDS = np.int32([0, 2, 2, 3, 0, 2])
DTYPES = ["float32", "float64", "int32", "int64"]


def rows(dtype, count=6):
    x = np.random.default_rng(0).integers(-9, 9, (count, 3)).astype(dtype)
    if x.dtype.kind == "i":
        x[0], x[-1] = np.iinfo(dtype).max, np.iinfo(dtype).min
    return x


def strange(count=6):
    x = normal(count, 3)
    x[0], x[1], x[-1] = [np.nan, np.inf, -0.0], [3.4e38, -3.4e38, 0], [np.inf, np.inf, -np.inf]
    return x


@pytest.mark.parametrize("dtype", DTYPES)
def test_updates(dtype):
    def function(x, places, updates):
        once = places[:2]  # which of two updates of one place stays is not said
        return [
            tf.tensor_scatter_nd_add(x, places, updates),
            tf.tensor_scatter_nd_sub(x, places, updates),
            tf.tensor_scatter_nd_max(x, places, updates),
            tf.tensor_scatter_nd_min(x, places, updates),
            ops.scatter_update(x, once, updates[:2]),
            ops.scatter(places, updates, (7, 3)),
            tf.tensor_scatter_nd_max(x, places[:0], updates[:0]),
            tf.scatter_nd(places, updates[:, 0], [tf.shape(x)[0] + 1]),
            ops.scatter_update(x, ops.concatenate([once, once * 0 + 1], 1), updates[:2, 0]),
        ]

    exported = export(model_of(inside(function), ((None, 3), dtype), ((4, 1), "int32"), ((4, 3), dtype)))
    exported.check(rows(dtype), PLACES, rows(dtype, 4))
    exported.check(rows(dtype, 5), PLACES, rows(dtype, 4))
    if dtype == "float32":
        exported.check(strange(), PLACES, rows(dtype, 4))
        exported.check(rows(dtype), PLACES, strange(4))
    assert exported.ops["ScatterND"] == 9
    assert not {"Loop", "Transpose"} & set(exported.ops)


@pytest.mark.parametrize("dtype", DTYPES)
def test_segments(dtype):
    """An id below 0 or a segment without rows: 0, 1, or the least or greatest number."""

    def function(x, ids):
        return [
            ops.segment_sum(x, ids, 5),
            ops.segment_max(x, ids, 5),
            ops.segment_sum(x[:, 0], ids, 4),
            tf.math.unsorted_segment_min(x, ids, 5),
            tf.math.unsorted_segment_prod(x, ids, 6),
        ]

    exported = export(model_of(inside(function), ((None, 3), dtype), ((None,), "int32")))
    for ids in (IDS, IDS[::-1].copy(), IDS - 1, IDS * 0 + 3):
        exported.check(rows(dtype), ids)
    exported.check(rows(dtype)[:0], IDS[:0])
    if dtype == "float32":
        exported.check(strange(), IDS)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_sorted_segments_as_many_as_the_last_id_says(dtype):
    kinds = [tf.math.segment_sum, tf.math.segment_prod, tf.math.segment_max, tf.math.segment_min]
    exported = export(
        model_of(inside(lambda x, ids: [kind(x, ids) for kind in kinds]), ((None, 3), dtype), ((None,), "int32"))
    )
    for ids in ([0, 0, 1, 1, 2, 2], [0, 0, 0, 3, 3, 5], [2, 2, 2, 2, 2, 2]):
        exported.check(rows(dtype), np.array(ids, "int32"))
        if dtype == "float32":  # which of NaN and a number is larger depends on TensorFlow's order of summation
            exported.check(np.nan_to_num(strange(), nan=1, posinf=np.inf, neginf=-np.inf), np.array(ids, "int32"))


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_slices_moved_so_that_they_fit(dtype):
    def function(x, update, start):
        return ops.slice_update(x, [start[0], start[1]], update), ops.slice_update(x, [1, 0], update)

    exported = export(model_of(inside(function), ((6, 3), dtype), ((2, 2), dtype), ((2,), "int32")))
    update = np.array([[1, 0], [5, -7]]).astype(dtype)
    for start in ((0, 0), (2, 1), (5, 2), (-3, -1), (2**31 - 1, -(2**31))):
        exported.check(rows(dtype) if dtype != "bool" else rows("int32") > 0, update, np.array(start, "int32"))
    if dtype == "float32":
        exported.check(strange(), np.float32([[np.nan, np.inf], [-0.0, -np.inf]]), np.int32([3, 1]))
    assert not {"Loop", "If"} & set(exported.ops)


def test_dense_of_sparse():
    def function(n, values):
        full = tf.sparse.to_dense(tf.SparseTensor(tf.cast(n, tf.int64), values, [6]), default_value=-1.0)
        return full, full * 2

    exported = export(model_of(inside(function), ((None, 1), "int32"), ((None,), "float32")))
    exported.check(np.int32([[0], [3], [5]]), np.float32([np.nan, np.inf, 2]))
    exported.check(np.zeros((0, 1), "int32"), np.zeros(0, "float32"))
