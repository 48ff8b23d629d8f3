"""Determinants by elimination: of matrices with and without an inverse."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.onnx.lowerings.exported import export, model_of


def matrices(n):
    """Return ordinary matrices, one whose first pivot is 0, and three without an inverse."""
    rows = np.random.default_rng(0).normal(size=(2, n, n))
    rolled = np.roll(np.diag(np.arange(1.0, n + 1)), 1, axis=0)
    equal = rows[0][[0, 0, *range(2, n)]]
    return np.stack([*rows, rolled, np.zeros((n, n)), np.diag([1.0] + [0.0] * (n - 1)), equal]).astype("float32")


@pytest.mark.parametrize("n", [2, 3, 5])
def test_determinants_of_matrices_with_and_without_an_inverse(n):
    function = inside(lambda a: (ops.det(a), *ops.slogdet(a)))
    export(model_of(function, ((None, n, n), "float32"))).check(matrices(n))


@pytest.mark.parametrize("n", [1, 3])
def test_empty_batches(n):
    def function(a, b):
        return [ops.det(a), *ops.slogdet(a), ops.inv(a), ops.solve(a, b)]

    exported = export(model_of(inside(function), ((None, n, n), "float32"), ((None, n, 2), "float32")))
    exported.check(np.zeros((0, n, n), "float32"), np.zeros((0, n, 2), "float32"))
    exported.check(matrices(n)[:2] if n > 1 else np.float32([[[2]], [[-3]]]), np.ones((2, n, 2), "float32"))
