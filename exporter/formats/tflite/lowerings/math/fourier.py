"""Fourier transforms as matrix products.

The transform of n = n1 n2 numbers, written as a matrix [n1, n2], is a transform of length n1 of its columns, a product
with e^(-2 pi i k1 m2 / n), and a transform of length n2 of its rows (Cooley and Tukey 1965): n (n1 + n2) products instead
of n². Lengths of at most `DIRECT` and primes are one product with the matrix e^(-2 pi i k m / n).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.lowerings.math.complex_numbers import Pair, split
from exporter.formats.tflite.registry import lowers_op

DIRECT = 128


@lowers_op("FFT")
def fft(op: Any, z: Any) -> Any:
    """Return the transform along the last axis."""
    return transform(split(z))


@lowers_op("IFFT")
def ifft(op: Any, z: Any) -> Any:
    """Return the inverse transform along the last axis."""
    return inverse(split(z))


@lowers_op("FFT2D")
def fft2d(op: Any, z: Any) -> Any:
    """Return the transform along the last two axes."""
    return _transposed(transform(_transposed(transform(split(z)))))


@lowers_op("IFFT2D")
def ifft2d(op: Any, z: Any) -> Any:
    """Return the inverse transform along the last two axes."""
    return _transposed(inverse(_transposed(inverse(split(z)))))


@lowers_op("RFFT")
def rfft(op: Any, x: Any, length: Any) -> Any:
    """Return the first half of the transform of real numbers, cut or filled with zeros to `length`."""
    return _half(x, _size(length, 0))


@lowers_op("RFFT2D")
def rfft2d(op: Any, x: Any, length: Any) -> Any:
    """Return the transform along the last two axes, of the last one the first half."""
    rows = tf.linalg.matrix_transpose(_fitted(tf.linalg.matrix_transpose(x), _size(length, 0)))
    return _transposed(transform(_transposed(_half(rows, _size(length, 1)))))


@lowers_op("IRFFT")
def irfft(op: Any, z: Any, length: Any) -> Any:
    """Return the real numbers whose transform begins with z, `length` of them."""
    return _whole(split(z), _size(length, 0))


@lowers_op("IRFFT2D")
def irfft2d(op: Any, z: Any, length: Any) -> Any:
    """Return the real numbers whose transform along the last two axes begins with z."""
    size = _size(length, 0)
    columns = _each(_transposed(split(z)), lambda x: _fitted(x, size))
    return _whole(_transposed(inverse(columns)), _size(length, 1))


def _size(length: Any, place: int) -> Any:
    """Return one of the lengths, a number where it is known."""
    value = constant(length)
    return tf.cast(length, tf.int32)[place] if value is None else int(value[place])


def _half(x: Any, n: Any) -> Pair:
    """Return n // 2 + 1 numbers of the transform of n real ones."""
    x = _fitted(x, n)
    if isinstance(n, int) and (n <= DIRECT or _factor(n) == 1):
        phases = _phases(n, np.arange(n), np.arange(n // 2 + 1))
        return Pair(_product(x, np.cos(phases)), _product(x, -np.sin(phases)))
    return _each(transform(Pair(x, None)), lambda x: x[..., : n // 2 + 1])


def _whole(z: Pair, n: Any) -> Any:
    """Return the n real numbers whose transform begins with z.

    The other half of the transform is the conjugate, so each term but the first and the middle one counts twice.
    """
    half = n // 2 + 1
    real, imag = _fitted(z.real, half), _fitted(z.imag, half)
    if isinstance(n, int):
        weights = np.where((np.arange(half) == 0) | (2 * np.arange(half) == n), 1.0, 2.0) / n
        phases = _phases(n, np.arange(half), np.arange(n))
        cosine, sine = np.cos(phases), np.sin(phases)
    else:
        once = tf.equal(tf.range(half), 0) | tf.equal(2 * tf.range(half), n)
        weights = tf.where(once, 1.0, 2.0) / tf.cast(n, tf.float32)
        cosine, sine = (matrix[:half] for matrix in _computed(n))
    return _product(real, weights[:, None] * cosine) - _product(imag, weights[:, None] * sine)


def transform(z: Pair) -> Pair:
    """Return sum over m of z[m] e^(-2 pi i k m / n) along the last axis; an imaginary part of None is zero."""
    n = z.real.shape[-1]
    if n is None:
        return _multiplied(z, *_computed(_length(z)))
    first = 1 if n <= DIRECT else _factor(n)
    if first == 1:
        return _times(z, _phases(n, np.arange(n), np.arange(n)))
    second = n // first
    columns = _transposed(_each(z, lambda x: _reshaped(x, [first, second])))  # [second, first]
    inner = transform(columns)
    turned = _rotated(inner, _phases(n, np.arange(second), np.arange(first)))
    rows = transform(_transposed(turned))  # [first, second]
    return _each(_transposed(rows), lambda x: _reshaped(x, [n], 2))


def inverse(z: Pair) -> Pair:
    """Return the inverse transform: conj(transform(conj(z))) / n."""
    n = z.real.shape[-1] or tf.cast(_length(z), tf.float32)
    result = transform(Pair(z.real, -z.imag))
    return Pair(result.real / n, -result.imag / n)


def _times(z: Pair, phases: np.ndarray) -> Pair:
    """Return the product of rows z with the matrix e^(-i phases)."""
    return _multiplied(z, np.cos(phases), np.sin(phases))


def _multiplied(z: Pair, cosine: Any, sine: Any) -> Pair:
    """Return the product of rows z with the matrix cosine - i sine."""
    real, imag = _product(z.real, cosine), _product(z.real, -sine)
    if z.imag is None:
        return Pair(real, imag)
    return Pair(real + _product(z.imag, sine), imag + _product(z.imag, cosine))


def _rotated(z: Pair, phases: np.ndarray) -> Pair:
    """Return z e^(-i phases), entry by entry."""
    cosine, sine = np.cos(phases).astype("float32"), np.sin(phases).astype("float32")
    return Pair(z.real * cosine + z.imag * sine, z.imag * cosine - z.real * sine)


def _phases(n: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return 2 pi row column / n, reduced before it is rounded."""
    return 2 * np.pi / n * (np.outer(rows, columns) % n)


def _computed(n: Any) -> tuple[Any, Any]:
    """Return the cosines and sines of 2 pi k m / n, whose k m is reduced as an integer (n below 46341) to between ±n / 2."""
    places = tf.range(n)
    turns = places[:, tf.newaxis] * places % n
    turns = tf.where(2 * turns > n, turns - n, turns)
    phases = tf.cast(turns, tf.float32) * (2 * np.pi / tf.cast(n, tf.float32))
    return tf.cos(phases), tf.sin(phases)


def _length(z: Pair) -> Any:
    """Return how many numbers the last axis has, a tensor."""
    return tf.shape(z.real)[-1]


def _factor(n: int) -> int:
    """Return the largest divisor of n up to its square root."""
    return max(d for d in range(1, int(n**0.5) + 1) if n % d == 0)


def _product(x: Any, matrix: Any) -> Any:
    matrix = tf.convert_to_tensor(matrix, tf.float32)
    return tf.linalg.matmul(x, matrix) if x.shape.rank > 1 else tf.linalg.matmul(x[tf.newaxis], matrix)[0]


def _each(z: Pair, function: Any) -> Pair:
    return Pair(function(z.real), None if z.imag is None else function(z.imag))


def _transposed(z: Pair) -> Pair:
    return _each(z, tf.linalg.matrix_transpose)


def _reshaped(x: Any, shape: list[int], drop: int = 1) -> Any:
    """Return x with its last `drop` axes in another shape."""
    return tf.reshape(x, tf.concat([tf.shape(x)[: x.shape.rank - drop], shape], 0))


def _fitted(x: Any, length: Any) -> Any:
    """Return x with its last axis cut or filled with zeros to `length`."""
    size = x.shape[-1]
    if isinstance(length, int) and size is not None and size >= length:
        return x[..., :length]
    x = x[..., :length]
    missing = length - sizes_of(x)[-1]
    padded = tf.pad(x, tf.stack([*[[0, 0]] * (x.shape.rank - 1), [0, missing]]))
    return tf.reshape(padded, tf.stack([*sizes_of(x)[:-1], length])) if size is None else padded
