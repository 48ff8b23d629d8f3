"""Segments of rows: means with gaps, chosen rows, a number of segments that is given."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

ROWS, NUMBERS = ((None, 3), "float32"), ((None,), "int32")


def test_means_with_gaps():
    exported = export(model_of(inside(tf.math.segment_mean), ROWS, NUMBERS))
    exported.check(normal(4, 3), np.int32([0, 0, 2, 2]))
    exported.check(normal(4, 3), np.int32([1, 1, 1, 5]))


def test_chosen_rows():
    def function(x, rows, ids):
        kinds = (tf.sparse.segment_sum, tf.sparse.segment_mean, tf.sparse.segment_sqrt_n)
        return [kind(x, rows, ids, num_segments=n) for kind in kinds for n in (None, 5)]

    exported = export(model_of(inside(function), ROWS, NUMBERS, NUMBERS))
    exported.check(normal(4, 3), np.int32([0, 1, 3]), np.int32([0, 0, 2]))


def test_a_sparse_matrix_times_a_dense_one():
    function = inside(lambda s, x: tf.sparse.sparse_dense_matmul(tf.sparse.from_dense(s), x))
    exported = export(model_of(function, ((None, 3), "float32"), ((3, 2), "float32")))
    exported.check(np.float32([[1, 0, 2], [0, 0, 3]]), normal(3, 2))
    exported.check(np.zeros((4, 3), "float32"), normal(3, 2))
