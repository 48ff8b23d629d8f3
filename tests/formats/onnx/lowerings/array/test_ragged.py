"""RaggedTensor.to_tensor: rows of any length, none at all, nested, of a mask, of row ids, of a width that is given."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

ROWS, LENGTHS = ((None, 2), "float32"), ((None,), "int64")


def test_row_lengths():
    def function(x, lengths):
        ragged = tf.RaggedTensor.from_row_lengths(x, lengths)
        return [ragged.to_tensor(), ragged.to_tensor(-1.0, shape=[None, 3, 2])]

    exported = export(model_of(inside(function), ROWS, LENGTHS))
    for lengths in ([2, 0, 4], [0, 0], [1]):
        exported.check(normal(sum(lengths), 2), np.int64(lengths))


def test_nested_rows():
    def function(x, outer, inner):
        return tf.RaggedTensor.from_nested_row_lengths(x, [outer, inner]).to_tensor(-1.0)

    exported = export(model_of(inside(function), ROWS, LENGTHS, LENGTHS))
    exported.check(normal(6, 2), np.int64([2, 0, 1]), np.int64([1, 3, 2]))


def test_row_ids():
    function = inside(lambda x, ids: tf.RaggedTensor.from_value_rowids(x, ids).to_tensor(-1.0))
    export(model_of(function, ROWS, LENGTHS)).check(normal(6, 2), np.int64([0, 0, 1, 3, 3, 3]))


def test_of_a_mask():
    """Positive numbers moved to the left; a batch without any divided by zero once."""

    def function(x):
        return [tf.ragged.boolean_mask(x, x > 0).to_tensor(-1.0, shape=[None, width]) for width in (None, 4)]

    exported = export(model_of(inside(function), ((None, 4), "float32")))
    for rows in ([[1, -1, 2, -2], [-1, -1, -1, 5]], [[-1] * 4, [1] * 4], [[-1] * 4]):
        exported.check(np.float32(rows))
    exported.check(np.zeros((0, 4), "float32"))
