"""Arithmetic of narrow integers: the whole range, and what overflows."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.cases.case import inside


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "uint32"])
def test_as_in_the_narrow_type(export, dtype):
    x, y = (keras.Input((5,), dtype=dtype, name=n) for n in "xy")

    def call(x, y):
        found = [x + y, x - y, x * y, tf.maximum(x, y), tf.minimum(x, y), tf.where(x > y, x, y), x // y, x % y]
        return [*found, tf.reduce_max(x, 1), tf.reduce_min(x, 1)]

    info = np.iinfo(dtype)
    left, right = [info.min, info.max, info.max, 7, info.max // 2], [info.max, 2, info.max, 3, 5]
    export(keras.Model([x, y], inside(call)(x, y))).agrees([np.array([left], dtype), np.array([right], dtype)])


def test_signs(layer):
    layer(inside(lambda x: (tf.abs(x), -x, tf.sign(x))), (3,), dtype="int8").agrees(np.array([[-127, 0, 9]], "int8"))
