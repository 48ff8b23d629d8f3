"""What the kernels for integers of 64 bits lack: quotients, magnitudes and signs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op

ROUNDS = 3  # each settles 22 bits of a quotient


@lowers_op("FloorDiv")
def floor_division(op: Any, a: Any, b: Any) -> Any:
    """Return a / b rounded down."""
    return floor_divided(a, b) if a.dtype == tf.int64 else NotImplemented


@lowers_op("Abs")
def absolute(op: Any, a: Any) -> Any:
    """Return |a|."""
    return tf.maximum(a, -a) if a.dtype == tf.int64 else NotImplemented


@lowers_op("Sign")
def sign(op: Any, a: Any) -> Any:
    """Return -1, 0 or 1."""
    return tf.clip_by_value(a, -1, 1) if a.dtype == tf.int64 else NotImplemented


def floor_divided(a: Any, b: Any) -> Any:
    """Return a / b rounded down in 64 bits: FLOOR_MOD gives the rest; then float32 quotients of what is left add up."""
    left = a - tf.math.floormod(a, b)
    divisor = tf.cast(b, tf.float32)
    quotient = tf.zeros_like(left)
    for _ in range(ROUNDS):
        part = tf.cast(tf.round(tf.cast(left, tf.float32) / divisor), tf.int64)
        quotient, left = quotient + part, left - part * b
    return quotient
