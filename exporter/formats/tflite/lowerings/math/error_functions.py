"""The error function and its relatives, by polynomials and quotients of polynomials.

    erf(x) = x P(x²) / Q(x²),  |x| <= 3.925, where erf rounds to 1
    erfc(x) = t R(t) e^(-x²),  t = 1 / (1 + 0.35 x),  x >= 0;  erfc(-x) = 2 - erfc(x)

P, Q: degree 5 each, the relative error 1.9e-8 at most, by least squares weighted until the error is even (Lawson's
iteration). R: degree 9, interpolates at Chebyshev nodes on 0 <= x <= 10.2, relative error 3e-8. In float32 both stay
within 3.3 units in the last place. Both were made from the error function of the C library in double precision.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.fusions.gelu import belongs_to_gelu
from exporter.formats.tflite.lowerings.math.polynomials import horner
from exporter.formats.tflite.registry import lowers_op

_P = (1.12837915, 0.190581455, 0.0527674681, 0.00377197165, 0.000284822242, 2.04601143e-06)
_Q = (1.0, 0.502231151, 0.114177455, 0.0149820394, 0.00116370241, 3.80464995e-05)
_R = (
    0.197487321,
    0.197066024,
    0.188531737,
    0.148121381,
    0.15526103,
    0.0692233181,
    -0.00561263383,
    0.164410289,
    -0.151487258,
    0.0369987967,
)

# The inverse error function, x p(w), w = -log((1 - x)(1 + x)): M. Giles, Approximating the erfinv function, GPU Computing
# Gems 2 (2010), table for single precision; in w - 2.5 for w < 5, else in sqrt(w) - 3.
_CENTRE = (
    1.50140941,
    0.246640727,
    -0.00417768164,
    -0.00125372503,
    0.00021858087,
    -4.39150654e-06,
    -3.5233877e-06,
    3.43273939e-07,
    2.81022636e-08,
)
_TAIL = (
    2.83297682,
    1.00167406,
    0.00943887047,
    -0.0076224613,
    0.00573950773,
    -0.00367342844,
    0.00134934322,
    0.000100950558,
    -0.000200214257,
)


@lowers_op("Erf")
def erf(op: Any, x: Any) -> Any:
    """Return 2/sqrt(pi) times the integral of e^(-t²) from 0 to x."""
    if x.dtype != tf.float32 or belongs_to_gelu(op):
        return NotImplemented
    x = tf.minimum(tf.maximum(x, -3.925), 3.925)
    square = x * x
    return x * horner(square, _P) / horner(square, _Q)


@lowers_op("Erfc")
def erfc(op: Any, x: Any) -> Any:
    """Return 1 - erf(x), with its right tail."""
    if x.dtype != tf.float32 or belongs_to_gelu(op):
        return NotImplemented
    a = tf.minimum(tf.abs(x), 15.0)  # e^-225 is 0
    t = 1.0 / (1.0 + 0.35 * a)
    right = t * horner(t, _R) * tf.exp(-(a * a))
    sign = tf.sign(x)  # also NaN for NaN
    return (1.0 - sign) + sign * right


@lowers_op("Erfinv")
def erfinv(op: Any, x: Any) -> Any:
    """Return the inverse of erf: infinite at ±1, NaN beyond."""
    if x.dtype != tf.float32:
        return NotImplemented
    w = -tf.math.log((1.0 - x) * (1.0 + x))
    centre = horner(tf.minimum(w, 5.0) - 2.5, _CENTRE)
    tail = horner(tf.sqrt(tf.minimum(tf.maximum(w, 5.0), 100.0)) - 3.0, _TAIL)
    factor = tf.where(w < 5.0, centre, tail)
    return x * tf.where(tf.abs(x) < 1.0, factor, w)  # w is inf at ±1 and NaN beyond


@lowers_op("Ndtri")
def ndtri(op: Any, p: Any) -> Any:
    """Return the quantile of the normal distribution, sqrt(2) erfinv(2 p - 1)."""
    if p.dtype != tf.float32:
        return NotImplemented
    return math.sqrt(2.0) * erfinv(op, 2.0 * p - 1.0)
