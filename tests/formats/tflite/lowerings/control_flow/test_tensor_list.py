"""Lists of tensors that a Python loop writes: any batch, places left out, and places read back."""

from __future__ import annotations

import pytest
import tensorflow as tf

from exporter.errors import UnsupportedError
from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


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


def doubled(x):
    """x * 2, step by step, in a list that a loop carries: it needs to know the shape of a step."""

    def step(time, array):
        return time + 1, array.write(time, x[:, time] * 2)

    array = tf.TensorArray("float32", size=tf.shape(x)[1])
    return tf.transpose(tf.while_loop(lambda time, _: time < tf.shape(x)[1], step, (0, array))[1].stack(), [1, 0, 2])


def growing(x):
    """A list whose elements have another shape at every step."""

    def step(time, array):
        return time + 1, array.write(time, x[:, :time])

    array = tf.TensorArray("float32", size=4, infer_shape=False)
    return tf.reshape(tf.while_loop(lambda time, _: time < 4, step, (0, array))[1].read(3), [-1, 3, 3])


def test_the_batch_is_asked_for_only_where_it_is_dynamic_and_mends_it(layer):
    with pytest.raises(UnsupportedError) as caught:
        layer(inside(doubled), (4, 3), batch="dynamic")
    assert "--tflite-batch 1" in caught.value.remedy
    layer(inside(doubled), (4, 3), batch=1).agrees(normal(1, 4, 3))

    with pytest.raises(UnsupportedError) as caught:
        layer(inside(growing), (4, 3), batch=1)
    assert "TensorListReserve" in caught.value.reason
    assert "batch" not in caught.value.remedy
    assert "keras.ops.scan" in caught.value.remedy
