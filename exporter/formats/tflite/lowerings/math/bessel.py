"""Bessel's modified function of order 0, by two polynomials, within 3 units in the last place.

    i0(x) = P(x²),  |x| <= 8;    i0(x) = e^|x| Q(1 / |x|) / sqrt(|x|),  |x| >= 8

P: degree 9, Q: degree 5, both with a relative error of at most 9e-9, by least squares weighted until the error is even
(Lawson's iteration). All coefficients of P are positive, so nothing cancels.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.math.polynomials import horner
from exporter.formats.tflite.registry import lowers_op

_P = (
    0.999999991,
    0.250000056,
    0.0156249493,
    0.000434043822,
    6.77931381e-06,
    6.80049663e-08,
    4.62352098e-10,
    2.63418681e-12,
    5.81563939e-15,
    5.7160755e-17,
)
_Q = (0.398942277, 0.049869586, 0.0278988036, 0.0337851009, -0.0138506047, 0.387966979)
EDGE = 8.0


@lowers_op("BesselI0")
def bessel_i0(op: Any, x: Any) -> Any:
    """Return i0(x); e^x is a product of two roots, which overflows no earlier than i0."""
    if x.dtype != tf.float32:
        return NotImplemented
    near, far, size = _parts(x)
    root = tf.exp(0.5 * size)
    return tf.where(size < EDGE, near, far * root * root) + tf.minimum(size, 0.0)  # XNNPACK's e^NaN is 0


@lowers_op("BesselI0e")
def bessel_i0e(op: Any, x: Any) -> Any:
    """Return e^-|x| i0(x)."""
    if x.dtype != tf.float32:
        return NotImplemented
    near, far, size = _parts(x)
    return tf.where(size < EDGE, near * tf.exp(-size), far) + tf.minimum(size, 0.0)


def _parts(x: Any) -> tuple[Any, Any, Any]:
    """Return P(x²), Q(1 / |x|) / sqrt(|x|) and |x|, each polynomial at the edge beyond its range."""
    size = tf.abs(x)
    inner, outer = tf.minimum(size, EDGE), tf.maximum(size, EDGE)
    return horner(inner * inner, _P), horner(1.0 / outer, _Q) / tf.sqrt(outer), size
