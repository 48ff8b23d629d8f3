"""What a tensor of a traced graph is."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.constant_values import constant


def test_values_that_depend_on_nothing():
    with tf.__internal__.FuncGraph("traced").as_default():
        x = tf.compat.v1.placeholder(tf.float32, (None, 6, 5, 2))
        shape = tf.shape(x)
        numbers = tf.range(3)
        np.testing.assert_array_equal(constant(shape[1:-1]), [6, 5])
        np.testing.assert_array_equal(constant(shape[1:3] * 2), [12, 10])
        np.testing.assert_array_equal(constant(tf.concat([numbers, numbers * 2], 0)), [0, 1, 2, 0, 2, 4])
        np.testing.assert_allclose(constant(tf.sin(tf.constant(0.5))), np.sin(0.5), rtol=1e-6)  # float32


def test_values_that_do_not():
    with tf.__internal__.FuncGraph("traced").as_default():
        x = tf.compat.v1.placeholder(tf.float32, (None, 6))
        assert constant(x) is None
        assert constant(tf.shape(x)) is None
        assert constant(tf.shape(x)[:1]) is None
        assert constant(tf.random.uniform([2])) is None
