"""Lists of tensors that a Python loop writes: any batch, places left out, and places read back."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tests.conformance.cases.case import inside
from tests.lowerings.tflite.conftest import normal


@pytest.mark.parametrize("places", [(0, 1, 2), (2, 0)])
def test_a_list_of_any_batch(layer, places):
    def call(x):
        array = tf.TensorArray("float32", size=3)
        for t in places:
            array = array.write(t, x[:, t] * (t + 1.0))
        return tf.transpose(array.stack(), [1, 0, 2])

    exported = layer(inside(call), (3, 4), batch="dynamic")
    assert exported.ops["PACK"] == 1
    exported.agrees(normal(1, 3, 4), normal(5, 3, 4))


def test_a_list_that_is_read_while_it_is_written(layer):
    def call(x):
        array = tf.TensorArray("float32", size=4, clear_after_read=False).write(0, x[:, 0])
        for t in range(1, 4):
            array = array.write(t, tf.sin(array.read(t - 1)) + x[:, t % 3])
        return tf.transpose(array.stack(), [1, 0, 2]) + array.read(3)[:, None]

    layer(inside(call), (3, 4), batch="dynamic").agrees(normal(2, 3, 4))
