"""Rows handed out to several tensors and put together again; of several for one place the last."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

ROWS, NUMBERS = ((None, None), "float32"), ((None,), "int32")


def test_partition():
    exported = export(model_of(inside(lambda x, n: tf.dynamic_partition(x, n, 3)), ROWS, NUMBERS))
    exported.check(normal(6, 2), np.int32([0, 2, 0, 1, 2, 2]))
    exported.check(normal(2, 2), np.int32([1, 1]))


def test_stitch():
    function = inside(lambda x, y, i, j: tf.dynamic_stitch([i, j], [x, y]))
    exported = export(model_of(function, ROWS, ROWS, NUMBERS, NUMBERS))
    exported.check(normal(3, 2), normal(4, 2, seed=1), np.int32([0, 5, 2]), np.int32([1, 3, 4, 0]))


def test_there_and_back():
    def function(x, n):
        places = tf.dynamic_partition(tf.range(tf.shape(x)[0]), n, 2)
        first, second = tf.dynamic_partition(x, n, 2)
        return tf.dynamic_stitch(places, [first * 2, second])

    export(model_of(inside(function), ROWS, NUMBERS)).check(normal(5, 3), np.int32([0, 1, 1, 0, 0]))
