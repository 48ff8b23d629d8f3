"""Bitwise functions of integers from BITWISE_XOR, RIGHT_SHIFT and arithmetic.

    a + b = (a ^ b) + 2 (a & b)

holds for integers of any sign in two's complement; halves of 16 bits keep the sums from overflowing. Integers of 64 bits
are two of 32, for BITWISE_XOR and RIGHT_SHIFT have no more.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from exporter.formats.tflite.lowerings.math.long_integers import floor_divided
from exporter.formats.tflite.registry import lowers_function, lowers_op

HALF = 16
NARROW = (tf.int8, tf.uint8, tf.int16, tf.uint16)


@lowers_op("BitwiseAnd")
def bitwise_and(op: Any, a: Any, b: Any) -> Any:
    """Return a & b."""
    return _on_int32(_and, a, b)


@lowers_op("BitwiseOr")
def bitwise_or(op: Any, a: Any, b: Any) -> Any:
    """Return a | b = (a ^ b) + (a & b): no bit is set in both."""
    return _on_int32(lambda a, b: tf.bitwise.bitwise_xor(a, b) + _and(a, b), a, b)


@lowers_op("BitwiseXor")
def bitwise_xor(op: Any, a: Any, b: Any) -> Any:
    """Return a ^ b; the builtin op takes equal shapes only."""
    if a.dtype in (tf.int64, tf.uint32):
        return _on_int32(_xor, a, b)
    if a.shape.is_fully_defined() and a.shape == b.shape:
        return NotImplemented
    return _on_int32(_xor, a, b)


@lowers_op("Invert")
def invert(op: Any, a: Any) -> Any:
    """Return ~a = -1 - a."""
    if a.dtype.is_unsigned:
        return tf.cast(a.dtype.max - tf.cast(a, tf.int32), a.dtype) if a.dtype in NARROW else NotImplemented
    return tf.cast(-1 - tf.cast(a, tf.int32), a.dtype) if a.dtype in NARROW else -1 - a


@lowers_op("LeftShift")
def left_shift(op: Any, a: Any, places: Any) -> Any:
    """Return a << places = a 2^places, for 0 <= places < 31 and as long as nothing overflows."""
    if a.dtype == tf.int64:
        return a * _powers(places)
    powers = tf.constant([2**n for n in range(31)], tf.int32)

    def shifted(a: Any, places: Any) -> Any:
        return a * tf.gather(powers, places)

    return NotImplemented if a.dtype == tf.uint32 else _on_int32(shifted, a, places)


@lowers_op("RightShift")
def right_shift(op: Any, a: Any, places: Any) -> Any:
    """Return a >> places, which rounds down; the builtin op takes equal shapes only."""
    if a.dtype == tf.int64:
        return floor_divided(a, _powers(places))
    if a.shape.is_fully_defined() and a.shape == places.shape:
        return NotImplemented
    return tf.bitwise.right_shift(a + tf.zeros_like(places), places + tf.zeros_like(a))


@lowers_function("numpy.signbit")
def signbit(original: Any, x: Any) -> Any:
    """Return whether the sign bit is set, by BITCAST to an integer."""
    if keras.backend.standardize_dtype(x.dtype) != "float32":
        return original(x)
    return tf.less(tf.bitcast(x, tf.int32), 0)


@lowers_op("NextAfter")
def next_after(op: Any, x: Any, y: Any) -> Any:
    """Return the neighbour of x towards y: the bits of x plus or minus one, which count the numbers outwards from 0."""
    if x.dtype != tf.float32:
        return NotImplemented
    zero = tf.zeros_like(x) + tf.zeros_like(y)
    x, y = x + zero, y + zero
    outwards = tf.equal(y > x, x > 0.0)
    moved = tf.bitcast(x, tf.int32) + tf.where(outwards, 1, -1)
    smallest = tf.where(y > 0.0, 1, tf.int32.min + 1)
    moved = tf.bitcast(tf.where(tf.equal(x, 0.0), smallest, moved), tf.float32)
    return tf.where(tf.equal(x, y) | tf.not_equal(y, y), y, tf.where(tf.not_equal(x, x), x, moved))


def _powers(places: Any) -> Any:
    """Return 2^places in 64 bits, for places below 63."""
    return tf.gather(tf.constant([2**n for n in range(63)], tf.int64), places)


def _xor(a: Any, b: Any) -> Any:
    return tf.bitwise.bitwise_xor(a + tf.zeros_like(b), b + tf.zeros_like(a))


def _and(a: Any, b: Any) -> Any:
    """Return a & b for int32."""
    a, b = a + tf.zeros_like(b), b + tf.zeros_like(a)  # the builtin XOR does not broadcast
    places = tf.fill(tf.shape(a), HALF)
    high_a, high_b = tf.bitwise.right_shift(a, places), tf.bitwise.right_shift(b, places)
    low = _common(a - high_a * 2**HALF, b - high_b * 2**HALF)
    return _common(high_a, high_b) * 2**HALF + low


def _common(a: Any, b: Any) -> Any:
    """Return a & b where a + b does not overflow."""
    return (a + b - tf.bitwise.bitwise_xor(a, b)) // 2


def _on_int32(function: Any, a: Any, b: Any) -> Any:
    """Apply a function of int32 to narrow integers as numbers, and to uint32 and int64 as one or two int32 of the same bits."""
    if a.dtype in (tf.int64, tf.uint32):
        a, b = a + tf.zeros_like(b), b + tf.zeros_like(a)
        return tf.bitcast(function(tf.bitcast(a, tf.int32), tf.bitcast(b, tf.int32)), a.dtype)
    if a.dtype != tf.int32 and a.dtype not in NARROW:
        return NotImplemented
    return tf.cast(function(tf.cast(a, tf.int32), tf.cast(b, tf.int32)), a.dtype)
