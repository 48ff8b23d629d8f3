"""Tangent and the inverse circular functions, from SIN, COS and ATAN2."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("Tan")
def tan(op: Any, x: Any) -> Any:
    """Return sin x / cos x."""
    return NotImplemented if x.dtype != tf.float32 else tf.sin(x) / tf.cos(x)


@lowers_op("Atan")
def atan(op: Any, x: Any) -> Any:
    """Return atan x = atan2(x, 1)."""
    return NotImplemented if x.dtype != tf.float32 else tf.atan2(x, tf.ones_like(x))


@lowers_op("Asin")
def asin(op: Any, x: Any) -> Any:
    """Return asin x = atan2(x, sqrt((1 - x)(1 + x))); NaN beyond ±1."""
    return NotImplemented if x.dtype != tf.float32 else tf.atan2(x, _cosine(x))


@lowers_op("Acos")
def acos(op: Any, x: Any) -> Any:
    """Return acos x = atan2(sqrt((1 - x)(1 + x)), x); NaN beyond ±1."""
    return NotImplemented if x.dtype != tf.float32 else tf.atan2(_cosine(x), x)


@lowers_op("Atan2")
def atan2(op: Any, y: Any, x: Any) -> Any:
    """Return the angle of (x, y); the builtin op takes equal shapes only."""
    if y.shape.is_fully_defined() and y.shape == x.shape:
        return NotImplemented
    zero = tf.zeros_like(x)
    return tf.atan2(y + zero, x + tf.zeros_like(y))


def _cosine(sine: Any) -> Any:
    return tf.sqrt((1.0 - sine) * (1.0 + sine))
