"""Quotients, magnitudes and signs of 64 bits: every sign, and more digits than a float has."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from tests.conformance.cases.case import inside

LEFT = [2**62 + 12345, -(2**62) - 999, 7, -7, 0, 2**53 + 1, -1, 10**18]
RIGHT = [3, 7, -2, 2, 5, 2**52 - 1, 2**40, -(10**9)]


def test_quotients_are_rounded_down_and_signs_kept(export):
    x, y = (keras.Input((8,), dtype="int64", name=n) for n in "xy")
    exported = export(keras.Model([x, y], inside(lambda x, y: (x // y, x % y, tf.abs(x), tf.sign(x), x // 3))(x, y)))
    exported.agrees([np.array([LEFT], "int64"), np.array([RIGHT], "int64")])
