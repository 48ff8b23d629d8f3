"""Cumulative sums, products and log-sum-exps, in both directions."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_every_direction(layer, length):
    def call(x):
        ways = [{"exclusive": e, "reverse": r} for e in (False, True) for r in (False, True)]
        functions = (tf.cumsum, tf.math.cumprod)
        found = [f(x, axis=a, **way) for f in functions for a in (1, -1) for way in ways]
        return *found, tf.math.cumulative_logsumexp(x, axis=1), tf.math.cumulative_logsumexp(x, axis=1, reverse=True)

    exported = layer(inside(call), (length, 3), batch="dynamic")
    exported.agrees(normal(1, length, 3), normal(2, length, 3, scale=30.0))


def test_zeros_and_infinities(layer):
    exported = layer(inside(lambda x: (ops.cumprod(x, axis=1), ops.cumsum(x, axis=1))), (6,))
    exported.agrees(
        np.array([[2.0, 0.0, 3.0, -1.0, 0.0, 5.0]], "float32"),
        np.array([[2.0, np.inf, 3.0, -1.0, 1.0, 5.0]], "float32"),
        np.array([[2.0, 1.0, np.nan, -1.0, 1.0, 5.0]], "float32"),
    )


def test_integers(layer):
    exported = layer(inside(lambda x: (ops.cumprod(x, axis=1), ops.cumsum(x, axis=1))), (6,), dtype="int32")
    exported.agrees(np.array([[2, 0, 3, -1, 4, 5]], "int32"), np.array([[7, -7, 3, -1, 4, 5]], "int32"))
