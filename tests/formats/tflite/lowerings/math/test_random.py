"""Random numbers from a fixed seed."""

from __future__ import annotations

import tensorflow as tf

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


def test_fixed_seeds_give_constants(layer):
    def call(x):
        kinds = (tf.random.stateless_normal, tf.random.stateless_uniform, tf.random.stateless_truncated_normal)
        whole = tf.random.stateless_uniform([4], [5, 6], 0, 9, tf.int32)
        return *(x + kind([4], [1, 2]) for kind in kinds), x + tf.cast(whole, "float32")

    exported = layer(inside(call), (4,))
    assert set(exported.ops) == {"ADD"}
    exported.agrees(normal(1, 4))
