"""Matrices and complex numbers of extreme size, whose squares are no numbers of single precision."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal

SCALES = [1e-30, 1e-20, 1e20, 1e30]


def divided(a, b):
    quotient = tf.complex(a[..., 0], a[..., 1]) / tf.complex(b[..., 0], b[..., 1])
    return tf.math.real(quotient), tf.math.imag(quotient)


def run(exported, *arrays) -> list[np.ndarray]:
    named = {info.name: array for info, array in zip(exported.runner.inputs, arrays, strict=True)}
    return list(exported.runner.run(named).values())


def test_singular_values_eigenvalues_and_inverses(layer):
    """One file: the scale is a matter of the input."""

    def function(x):
        symmetric = x + ops.transpose(x, (0, 2, 1))
        return [ops.svd(x, compute_uv=False), ops.eigh(symmetric)[0], ops.pinv(x), ops.norm(x, 2, axis=(1, 2))]

    exported = layer(function, (3, 3))
    x = normal(1, 3, 3)
    values = np.linalg.svd(x)[1]
    wanted = [values, np.linalg.eigvalsh(x + x.transpose(0, 2, 1)), np.linalg.inv(x), values[:, 0]]
    for scale in SCALES:
        results = run(exported, x * np.float32(scale))
        for found, value, power in zip(results, wanted, (1, 1, -1, 1), strict=True):
            np.testing.assert_allclose(found * float(scale) ** -power, np.reshape(value, found.shape), rtol=1e-4)


@pytest.mark.parametrize(
    "scales", [(1e20, 1e20), (1e-20, 1e-20), (1.0, 1e30), (1e-30, 1.0), (1e30, 1e10), (1e-25, 1e-30)]
)
def test_complex_quotients(layer, scales):
    exported = layer(lambda a, b: inside(divided)([a, b]), (4, 2), (4, 2))
    a, b = (normal(1, 4, 2, seed=n) * np.float32(scale) for n, scale in enumerate(scales))
    quotient = (a[..., 0] + 1j * a[..., 1].astype("complex128")) / (b[..., 0] + 1j * b[..., 1].astype("complex128"))
    for found, wanted in zip(run(exported, a, b), (quotient.real, quotient.imag), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * np.abs(quotient).max())


def test_size_of_small_complex_numbers(layer):
    exported = layer(inside(lambda x: ops.abs(tf.complex(x[..., 0], x[..., 1]))), (4, 2))
    x = normal(1, 4, 2) * np.float32(1e-33)
    np.testing.assert_allclose(run(exported, x)[0], np.hypot(*x.transpose(2, 0, 1).astype("float64")), rtol=1e-5)
