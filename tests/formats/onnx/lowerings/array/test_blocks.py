"""Blocks of the spatial axes as rows of the batch, and back: known and computed blocks and borders."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

ANY = ((None,) * 4, "float32")


def test_known_blocks():
    def function(x):
        rows = tf.space_to_batch(x, [2, 3], [[0, 1], [1, 1]])
        return [rows, tf.batch_to_space(rows, [2, 3], [[0, 1], [1, 0]])]

    for shape in ((None, 5, 7, 3), (None,) * 4):
        export(model_of(inside(function), (shape, "float32"))).check(normal(2, 5, 7, 3))


def test_computed_blocks():
    def function(x, block, borders):
        rows = tf.space_to_batch(x, block, borders)
        return [rows, tf.batch_to_space(rows, block, borders)]

    exported = export(model_of(inside(function), ANY, ((2,), "int32"), ((2, 2), "int32")))
    exported.check(normal(2, 5, 7, 3), np.int32([2, 3]), np.int32([[0, 1], [1, 1]]))
    exported.check(normal(1, 4, 4, 1), np.int32([1, 2]), np.int32([[0, 0], [0, 0]]))
