"""Cholesky decomposition and triangular systems."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


@pytest.mark.parametrize("n", [1, 5])
def test_factors_and_inverses(layer, n):
    def call(x):
        a = x @ ops.transpose(x, (0, 2, 1)) + 0.5 * ops.eye(n)
        factor = ops.cholesky(a)
        return factor, ops.cholesky(a, upper=True), ops.cholesky_inverse(factor)

    exported = layer(inside(call), (n, n), batch="dynamic")
    exported.agrees(normal(1, n, n), normal(3, n, n, seed=1), np.zeros((2, n, n), "float32"))


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_triangles(layer, lower, adjoint):
    """What stands in the other triangle is not read."""

    def call(a, b):
        one_each = tf.linalg.triangular_solve(a, b, lower=lower, adjoint=adjoint)
        return one_each, tf.linalg.triangular_solve(a[0], b, lower=lower, adjoint=adjoint)

    exported = layer(inside(call), (4, 4), (4, 2))
    a = normal(1, 4, 4) + 3 * np.eye(4, dtype="float32")
    a[0, (0, 3), (3, 0)] = [np.nan, 1.0] if lower else [1.0, np.nan]
    exported.agrees([a, normal(1, 4, 2)])
