"""Singular values, eigenvalues, pseudo-inverses: also of matrices that lack a rank, and of those that are done."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from exporter.errors import UnsupportedError
from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


@pytest.mark.parametrize(("m", "n"), [(4, 4), (5, 3), (2, 5), (1, 1)])
def test_values_of_any_shape(layer, m, n):
    def call(x):
        square = x @ ops.transpose(x, (0, 2, 1))
        return ops.svd(x, compute_uv=False), ops.eigh(square)[0], ops.norm(x, ord="nuc", axis=(1, 2)), ops.pinv(x)

    exported = layer(inside(call), (m, n), batch="dynamic")
    exported.agrees(normal(1, m, n), normal(3, m, n, seed=1), 100 * normal(1, m, n, seed=2))


def test_lost_ranks_and_equal_values(layer):
    exported = layer(inside(lambda x: (ops.svd(x, compute_uv=False), ops.pinv(x), ops.matrix_rank(x))), (4, 4))
    flat = np.outer(np.arange(4.0), np.arange(1.0, 5.0)).astype("float32")[None]
    exported.agrees(np.eye(4, dtype="float32")[None], np.zeros((1, 4, 4), "float32"))
    found = exported.runner.run({exported.runner.inputs[0].name: flat})
    pseudo, rank = list(found.values())[1:]
    np.testing.assert_allclose(pseudo[0], np.linalg.pinv(flat[0].astype("float64")), atol=1e-6)  # entries up to 0.05
    assert rank == 1


def test_only_the_lower_triangle_counts(layer):
    exported = layer(inside(lambda x: ops.eigh(x)[0]), (3, 3))
    exported.agrees(normal(1, 3, 3))


@pytest.mark.parametrize("rcond", [None, 0.5])
def test_least_squares(layer, rcond):
    def call(a, b):
        return ops.lstsq(a[0], b[0, :, 0], rcond=rcond), ops.lstsq(a[0], b[0], rcond=rcond)

    exported = layer(inside(call), (5, 3), (5, 2))
    exported.agrees([normal(1, 5, 3), normal(1, 5, 2, seed=1)])


@pytest.mark.parametrize(("function", "why"), [(ops.svd, "signs"), (ops.eigh, "signs"), (ops.eig, "symmetric")])
def test_vectors_are_refused(export, function, why):
    x = keras.Input((3, 3))
    with pytest.raises(UnsupportedError) as caught:
        export(keras.Model(x, function(x)[1]))
    assert why in caught.value.remedy
