"""Linear algebra: singular values, eigenvalues, inverses of every kind, Cholesky, triangular systems, QR."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 5), (1, 1)], ids=str)
def test_singular_values_and_pseudo_inverses(shape):
    def function(a):
        return [ops.svd(a, compute_uv=False), ops.pinv(a), ops.norm(a, 2, axis=(1, 2)), ops.norm(a, "nuc", axis=(1, 2))]

    exported = export(model_of(inside(function), ((None, *shape), "float32")))
    exported.check(normal(3, *shape))
    for size in (1e-30, 1e-20, 1e3, 1e20, 1e30, 0):  # of some the squares vanish or overflow
        exported.check(normal(2, *shape) * np.float32(size))
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
    exported.check(normal(0, n, n))


@pytest.mark.parametrize("lower", [True, False])
def test_triangles(lower):
    def function(a, b):
        safe = a + 4 * ops.eye(4)
        return [ops.solve_triangular(safe, b, lower=lower), ops.solve(safe, b)]

    exported = export(model_of(inside(function), ((None, 4, 4), "float32"), ((None, 4, 2), "float32")))
    exported.check(normal(3, 4, 4), normal(3, 4, 2))
    exported.check(normal(0, 4, 4), normal(0, 4, 2))


@pytest.mark.parametrize("n", [1, 3, 4])
def test_eigenvalues_of_every_size(n):
    exported = export(model_of(inside(lambda a: ops.eigh(a + ops.swapaxes(a, 1, 2))[0]), ((None, n, n), "float32")))
    for size in (1e-30, 1, 1e20, 0):
        exported.check(normal(2, n, n) * np.float32(size))
    exported.check(normal(0, n, n))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 3), (3, 3), (3, 5), (4, 2)], ids=str)
def test_least_squares(shape, dtype):
    """Matrices of full and of lower rank, large, small, of zeros (which make NaN); one right side and several."""

    def function(a, b):
        return [*(ops.lstsq(a, b, rcond=cut) for cut in (None, 0.1, -1.0)), ops.lstsq(a, b[:, 0])]

    exported = export(model_of(inside(function), (shape, dtype), ((shape[0], 2), dtype)))
    a, b = normal(*shape).astype(dtype), normal(shape[0], 2, seed=1).astype(dtype)
    equal, steep = a.copy(), a.copy()
    equal[:, -1], steep[:, -1] = equal[:, 0], 1e-3 * steep[:, -1]
    for matrix in (a, equal, steep, a * power(dtype, 20), a * power(dtype, -20), a * 0):
        exported.check(matrix, b)
    exported.check(a, np.nan * b)


def power(dtype, exponent):
    """Return a power of 10 as a number whose product with an array keeps the array's dtype."""
    return np.dtype(dtype).type(10.0**exponent)


def test_least_squares_of_constants():
    powers = np.vander(np.arange(5.0), 3).astype("float32")
    export(model_of(inside(lambda b: ops.lstsq(powers, b)), ((5,), "float32"))).check(normal(5))
    export(model_of(inside(lambda a: ops.lstsq(a, powers[:, 1])), ((5, 3), "float32"))).check(normal(5, 3))


def test_what_has_no_decomposition_is_no_number():
    """Where TensorFlow raises an error a file cannot: what it computes must not look like a result."""
    exported = export(model_of(inside(lambda a: [ops.cholesky(a), ops.inv(a)]), ((None, 2, 2), "float32")))
    for matrix, numbers in (([[1, 2], [2, 1]], {1}), ([[1, 2], [2, 4]], set()), ([[0, 0], [0, 0]], set())):
        results = exported.runner.run({"x0": np.float32([matrix])}).values()
        assert {n for n, result in enumerate(results) if np.isfinite(result).all()} == numbers


def test_matrices_of_nan():
    def function(a):
        return [ops.svd(a, compute_uv=False), ops.det(a), *ops.qr(a)]

    export(model_of(inside(function), ((None, 3, 3), "float32"))).check(np.full((1, 3, 3), np.nan, "float32"))
