"""Linear algebra: singular values, eigenvalues, inverses of every kind, Cholesky, triangular systems, QR."""

from __future__ import annotations

import pytest
from keras import ops

from tests.lowerings.onnx.exported import export, inside, model_of, normal


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 5), (1, 1)], ids=str)
def test_singular_values_and_pseudo_inverses(shape):
    def function(a):
        return [ops.svd(a, compute_uv=False), ops.pinv(a), ops.norm(a, 2, axis=(1, 2)), ops.norm(a, "nuc", axis=(1, 2))]

    exported = export(model_of(inside(function), ((None, *shape), "float32")))
    exported.check(normal(3, *shape))
    exported.check(normal(1, *shape) * 1e3)
    exported.check(normal(0, *shape))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_symmetric_and_positive_matrices(n):
    def function(a):
        square = ops.matmul(a, ops.swapaxes(a, 1, 2)) + ops.eye(n)
        lower = ops.cholesky(square)
        return [ops.eigh(square)[0], lower, ops.solve_triangular(lower, a, lower=True), ops.inv(square)]

    exported = export(model_of(inside(function), ((None, n, n), "float32")))
    exported.check(normal(3, n, n))
    exported.check(normal(1, n, n))


@pytest.mark.parametrize("lower", [True, False])
def test_triangles(lower):
    def function(a, b):
        safe = a + 4 * ops.eye(4)
        return [ops.solve_triangular(safe, b, lower=lower), ops.solve(safe, b)]

    exported = export(model_of(inside(function), ((None, 4, 4), "float32"), ((None, 4, 2), "float32")))
    exported.check(normal(3, 4, 4), normal(3, 4, 2))
