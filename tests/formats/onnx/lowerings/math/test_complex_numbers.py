"""Complex numbers between real inputs and outputs: arithmetic, products, moves, casts; large, vanishing and infinite ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

ROWS = ((None, 4), "float32")
FINITE = np.float32([0, -0.0, 1, -2, 0.3, 1e-30, 1e30, -3e38])
ALL = np.float32([*FINITE, np.inf, -np.inf, np.nan])


def squares(*columns):
    """Return every combination of numbers, one column for each of `columns`."""
    return tuple(np.array(c, columns[0].dtype).reshape(-1, 1) for c in zip(*itertools.product(*columns), strict=True))


def parts(z):
    return [ops.real(z), ops.imag(z)]


def of(function, inputs=ROWS, count=1):
    """Return a model of the real and the imaginary part of each of `count` complex numbers."""

    def real(*tensors):
        pairs = [tf.complex(*tensors[n : n + 2]) for n in range(0, 2 * count, 2)]
        return function(*pairs)

    return export(model_of(inside(real), *[inputs] * 2 * count))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_number(dtype):
    def function(z):
        parted = [ops.conj(z), -z, ops.square(z), tf.where(ops.real(z) > 0, z, z * 2)]
        return [ops.abs(z), ops.angle(z), *(p for y in parted for p in parts(y))]

    exported = of(function, ((None, 1), dtype))
    exported.check(*squares(ALL.astype(dtype), ALL.astype(dtype)))
    exported.check(normal(0, 1).astype(dtype), normal(0, 1).astype(dtype))


def test_exponential():
    """Infinite at an angle of 0 it has the imaginary part 0; of size 0 it is 0 at any angle.

    What sign an infinite one has at an angle that is no number C leaves open.
    """
    real, imag = squares(ALL, ALL[np.abs(ALL) < 1e4])
    more = np.float32([[-np.inf, -np.inf, -np.inf, -1e30, np.nan], [np.inf, -np.inf, np.nan, 1, np.inf]])[:, :, None]
    exported = of(lambda z: parts(tf.exp(z)), ((None, 1), "float32"))
    exported.check(real, imag)
    exported.check(*more)


def test_logarithm():
    """Not of numbers whose square overflows or vanishes, of which Keras itself gives NaN in float32."""
    numbers = np.float32([0, -0.0, 1, -2, 0.3, 1e-15, 1e18, np.inf, -np.inf, np.nan])
    of(lambda z: parts(tf.math.log(z)), ((None, 1), "float32")).check(*squares(numbers, numbers))


def test_two_numbers():
    def function(a, b):
        return [*parts(a + b), *parts(a - b), *parts(a * b), *parts(a * (2 - 1j)), ops.cast(a == b, "int32")]

    of(function, ((None, 1), "float32"), 2).check(*squares(*[ALL] * 4))


def test_quotients():
    """Of finite numbers, 0 included; of others they differ in Keras between vectors of numbers and what is left over."""
    exported = of(lambda a, b: [*parts(a / b), *parts(b / (2 - 1j))], ((None, 1), "float32"), 2)
    exported.check(*squares(*[FINITE[:-1]] * 4))


def test_products():
    def function(a, b):
        kernel = tf.complex(tf.reshape(tf.range(8.0), (4, 2)), tf.ones((4, 2)))
        stacked = tf.reshape(a, (-1, 2, 2)), tf.reshape(b, (-1, 2, 2))
        products = [
            tf.matmul(a, b, transpose_b=True),
            tf.matmul(a, b, adjoint_a=True),
            tf.matmul(a, kernel),
            tf.matmul(*stacked, adjoint_b=True),
            tf.matmul(*stacked, transpose_a=True),
            ops.matmul(a, ops.conj(kernel)),
            ops.einsum("ij,kj->ik", a, b),
            tf.einsum("bij,bjk->bki", *stacked),
            ops.dot(a, kernel),
        ]
        return [part for product in products for part in parts(product)]

    exported = of(function, count=2)
    for rows in (3, 1, 0):
        exported.check(*(normal(rows, 4, seed=n) for n in range(4)))


def test_moves_and_sums():
    def function(z):
        moved = [
            ops.transpose(z),
            ops.concatenate([z, z[:, ::-1]], 1),
            ops.reshape(z, (-1, 2)),
            ops.sum(z, -1),
            ops.pad(z, [[0, 0], [1, 2]]),
            ops.roll(z, 1, 1),
            ops.take(z, [2, -1], axis=1),
            tf.cumsum(z, 1, reverse=True),
            ops.expand_dims(z[:, 1], 1) + z,
        ]
        return [part for y in moved for part in parts(y)]

    exported = of(function)
    exported.check(normal(3, 4), normal(3, 4, seed=1))
    strange = np.float32([[np.nan, 1, np.inf, -0.0], [1, 2, 3, 4]])
    exported.check(strange, strange[::-1].copy())


def test_means():
    """Not of infinite numbers: Keras divides by a complex count, which makes NaN of them."""
    exported = of(lambda z: [part for y in (ops.mean(z, 0), ops.mean(z)) for part in parts(y)])
    exported.check(normal(3, 4), normal(3, 4, seed=1))


def test_casts():
    """To real numbers the imaginary part is lost; wider ones compute in float64."""

    def function(z):
        wide = tf.cast(z, tf.complex128) * (1 / 3)
        real = tf.cast(tf.cast(z, tf.float32), tf.complex64)
        return (
            tf.cast(z, tf.float32),
            tf.cast(z, tf.int32),
            tf.abs(wide),
            *parts(tf.cast(wide, tf.complex64)),
            *parts(real),
        )

    exported = of(function)
    exported.check(normal(3, 4), normal(3, 4, seed=1))
    exported.check(1e30 * normal(3, 4) * 0, 1e30 * normal(3, 4, seed=1))


def test_what_is_not_known_of_complex_numbers_is_refused():
    with pytest.raises(UnsupportedError, match="no complex numbers, and Tanh of them"):
        of(lambda z: parts(tf.tanh(z)))


def test_a_complex_output_is_refused_with_a_remedy():
    with pytest.raises(UnsupportedError, match="return the real and the imaginary part"):
        of(lambda z: z * 2)
