"""Systems of equations, inverses, determinants and LU, within one loop each."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from exporter.errors import UnsupportedError
from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


def zero_pivots(n: int) -> np.ndarray:
    """Return matrices that must exchange rows: the first pivot is 0."""
    return np.roll(np.diag(np.arange(1.0, n + 1)), 1, axis=0).astype("float32")[None]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_everything_from_the_pivots(layer, n):
    def call(a, b):
        return ops.solve(a, b), tf.linalg.solve(a, b, adjoint=True), ops.inv(a), ops.det(a), *ops.slogdet(a)

    exported = layer(inside(call), (n, n), (n, 3), batch="dynamic")
    assert "WHILE" in exported.ops
    exported.agrees(
        [normal(1, n, n), normal(1, n, 3)],
        [normal(4, n, n, seed=1), normal(4, n, 3, seed=2)],
        [zero_pivots(n), normal(1, n, 3)],
    )


def singular(n: int) -> np.ndarray:
    """Return matrices without an inverse: nothing, one row only, two equal rows."""
    rows = normal(1, n, n)[0]
    return np.stack([np.zeros((n, n)), np.diag([1.0] + [0.0] * (n - 1)), rows[[0, 0, *range(2, n)]]]).astype("float32")


def test_determinants_of_singular_matrices(layer):
    exported = layer(inside(lambda a: (ops.det(a), *ops.slogdet(a))), (3, 3), batch="dynamic")
    exported.agrees(singular(3))


def test_lu_and_the_order_of_rows(layer):
    exported = layer(inside(lambda a: ops.lu_factor(a[0])), (4, 4))
    exported.agrees(normal(1, 4, 4), zero_pivots(4))


def test_one_right_side_for_a_stack_of_matrices(layer):
    exported = layer(inside(ops.solve), (2, 3, 3), (2, 3))
    exported.agrees([normal(1, 2, 3, 3), normal(1, 2, 3)])


def test_an_unknown_size_is_refused_by_name(export):
    x = keras.Input((None, None))
    with pytest.raises(UnsupportedError, match="MatrixInverse"):
        export(keras.Model(x, ops.inv(x)))
