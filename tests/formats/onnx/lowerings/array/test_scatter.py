"""Writing at indices: equal indices add, multiply, contend; segments without rows; slices that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from exporter import formats
from exporter.capture.inference import Inference
from exporter.formats.onnx.runner import OnnxRunner
from exporter.spec import Options
from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

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
def test_as_many_updates_as_the_model_says(dtype):
    def function(x, places, updates):
        blocks = ops.stack([x, x + 1], 1)
        pairs = ops.concatenate([places, places % 2], 1)
        return [
            tf.tensor_scatter_nd_add(x, places, updates),
            tf.tensor_scatter_nd_sub(x, places, updates),
            tf.tensor_scatter_nd_max(x, places, updates),
            tf.tensor_scatter_nd_min(x, places, updates),
            tf.tensor_scatter_nd_add(blocks, pairs, updates),
            tf.tensor_scatter_nd_add(blocks, places, ops.stack([updates, updates], 1)),
            tf.tensor_scatter_nd_add(blocks, ops.stack([pairs, pairs], 1), ops.stack([updates, updates], 1)),
            tf.tensor_scatter_nd_add(x[:, 0], places, updates[:, 0]),
            ops.scatter(places, updates, (7, 3)),
        ]

    exported = export(model_of(inside(function), ((None, 3), dtype), ((None, 1), "int32"), ((None, 3), dtype)))
    places = IDS[:, None]
    exported.check(rows(dtype), places, rows(dtype)[::-1].copy())
    exported.check(rows(dtype, 1), places[:1], rows(dtype, 1))
    exported.check(rows(dtype)[:0], places[:0], rows(dtype)[:0])
    if dtype == "float32":
        exported.check(strange(), places, rows(dtype))
        exported.check(rows(dtype), places, strange())
    assert exported.ops["ScatterElements"] == 8
    assert exported.ops["Loop"] == 1  # of the tensor whose size is known


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "float16"])
def test_updates_of_narrow_numbers(dtype):
    def function(x, places, updates):
        kinds = [tf.tensor_scatter_nd_add, tf.tensor_scatter_nd_max, tf.tensor_scatter_nd_min]
        return [kind(tf.cast(x, dtype), places, tf.cast(updates, dtype)) for kind in kinds]

    for count in (6, None):
        shapes = (((count, 3), "int32"), ((count, 1), "int32"), ((count, 3), "int32"))
        exported = export(model_of(inside(function), *shapes))
        numbers = np.arange(18, dtype="int32").reshape(6, 3)
        exported.check(numbers, IDS[:, None], numbers[::-1].copy())


def test_threads_lose_no_update(tmp_path):
    """As they do of ScatterND, in most runs; the numbers are whole, so that their order does not round."""

    def function(x, ids):
        zeros = ops.zeros((ops.shape(x)[0], 512))  # of a size that is not known, so it is not written in parts
        whole = tf.tensor_scatter_nd_add(zeros, ids[:, None] % 3, x)
        return ops.segment_sum(x, ids, 7), ops.scatter(ids[:, None] % 3, x, (3, 512)), whole[:3]

    inference = Inference(model_of(inside(function), ((None, 512), "float32"), ((None,), "int32")))
    formats.get("onnx").write(inference, tmp_path / "model.onnx", Options(), {})
    runner = OnnxRunner(tmp_path / "model.onnx", threads=4)
    random = np.random.default_rng(0)
    x, ids = random.integers(0, 9, (20_000, 512)).astype("float32"), random.integers(0, 7, 20_000, "int32")
    sums = [np.stack([x[ids % n == k].sum(0) for k in range(n)]) for n in (7, 3, 3)]
    for _ in range(3):
        for value, expected in zip(runner.run({"x0": x, "x1": ids}).values(), sums, strict=True):
            np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("shape", [(None, 512), (700, 512), (None, 120_000), (None, 300, 2)], ids=str)
def test_parts(shape):
    """Several of them, the last shorter; one row of which is more than a part."""

    def function(x):
        ids = ops.cast(ops.abs(x[..., 0]) * 7, "int32") % 5
        return (
            [ops.segment_sum(x, ids, 5), ops.segment_max(x, ids, 5)]
            if x.shape.rank == 2
            else ops.scatter(ids[..., None], x, (5, 2))
        )

    exported = export(model_of(inside(function), (shape, "float32")))
    rows = {512: 700, 120_000: 3, 300: 500}[shape[1]]
    exported.check(normal(rows, *shape[1:]))
    if shape[0] is None:
        exported.check(normal(0, *shape[1:]))
        exported.check(normal(1, *shape[1:]))


def test_known_places_without_repetition_are_shared_out():
    places = np.random.default_rng(0).permutation(9_000)[:5_000, None].astype("int32")
    exported = export(model_of(inside(lambda x: ops.scatter(places, x, (9_000, 4))), ((5_000, 4), "float32")))
    exported.check(normal(5_000, 4))
    assert exported.ops["ScatterND"] == 1


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
