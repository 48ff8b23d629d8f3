"""exp, log and what is made of them, in forms that keep their tails.

The kernels at hand: EXP; LOG, of which XNNPACK's is off by 1e-7 near 1, where log itself is as small; and ELU, which is
e^t - 1 for t <= 0, exact near 0. So a logarithm is corrected by one step of Newton's method on e^t - 1 = n, through ELU:

    log1p(n) = t - (elu(t) - n) / (1 + n),  t = log(1 + n),      for -1 <= n <= 0
    log1p(p) = -log1p(-p / (1 + p)),                             for 0 <= p <= 1
    expm1(x) = elu(min(x, 0)) + elu(-p) (-e^p),  p = max(x, 0)
    softplus(x) = max(x, 0) + log1p(e^-|x|)

The converter's own softplus is log(1 + e^x): inf from 89 on, 0 at -20. All of this stays within XNNPACK.
Limits of XNNPACK in ai-edge-litert 2.3: EXP gives 0 for NaN (put back by adding min(|x|, 0), which is 0 or NaN) and is off
by up to 32 units in the last place near ±88; LOG gives inf for 3.4e38.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("Log1p")
def log1p(op: Any, x: Any) -> Any:
    """Return log(1 + x): -inf at -1, NaN below, inf at inf. What lies above 1 is a difference of logarithms far from 1."""
    if x.dtype != tf.float32:
        return NotImplemented
    below, above = tf.minimum(x, 0.0), tf.nn.relu(x)
    unit = tf.minimum(above, 1.0)
    rest = tf.math.log(1.0 + above) - tf.math.log(1.0 + unit)
    return (log1p_below(below) + log1p_of_unit(unit)) + rest


def log1p_below(n: Any) -> Any:
    """Return log(1 + n) for n <= 0; NaN below -1."""
    w = 1.0 + n
    t = tf.math.log(w)
    return t - (tf.nn.elu(t) - n) / tf.maximum(w, 1e-30)  # at -1: -inf - 0 / 1e-30


def log1p_of_unit(p: Any) -> Any:
    """Return log(1 + p) for 0 <= p <= 1."""
    w = 1.0 + p
    t = -tf.math.log(w)
    return (tf.nn.elu(t) + p / w) * w - t


@lowers_op("Expm1")
def expm1(op: Any, x: Any) -> Any:
    """Return e^x - 1, to the last place near zero."""
    if x.dtype != tf.float32:
        return NotImplemented
    above = tf.nn.relu(x)
    return tf.nn.elu(tf.minimum(x, 0.0)) - tf.nn.elu(-above) * tf.exp(above)


@lowers_op("Softplus")
def softplus(op: Any, x: Any) -> Any:
    """Return log(1 + e^x): e^x far below zero, x far above."""
    if x.dtype != tf.float32:
        return NotImplemented
    return tf.nn.relu(x) + log1p_of_unit(tf.exp(-tf.abs(x)))


@lowers_op("Sinh")
def sinh(op: Any, x: Any) -> Any:
    """Return sinh x = sign(x) ((w/2) (w + 2) - elu(-a)/2), a = |x|, w = e^(a/2) - 1: finite as long as sinh is."""
    if x.dtype != tf.float32:
        return NotImplemented
    a = tf.abs(x)
    w = -tf.nn.elu(-0.5 * a) * tf.exp(0.5 * a)
    return tf.sign(x) * ((0.5 * w) * (w + 2.0) - 0.5 * tf.nn.elu(-a))


@lowers_op("Cosh")
def cosh(op: Any, x: Any) -> Any:
    """Return cosh x = (p/2) p + 1/(2 p p), p = e^(|x|/2): finite as long as cosh is."""
    if x.dtype != tf.float32:
        return NotImplemented
    a = tf.abs(x)
    p = tf.exp(0.5 * a)
    return ((0.5 * p) * p + 0.5 / p / p) + tf.minimum(a, 0.0)


def _log_of_twice(x: Any) -> Any:
    """Return log(2 x) without overflow."""
    return tf.math.log(0.25 * x) + math.log(8.0)


@lowers_op("Asinh")
def asinh(op: Any, x: Any) -> Any:
    """Return asinh x = sign(x) log1p(a + a (a / (1 + h))), a = |x|, h = sqrt(1 + a²) without overflow."""
    if x.dtype != tf.float32:
        return NotImplemented
    a = tf.abs(x)
    small = tf.minimum(a, 1e10)
    h = tf.sqrt(1.0 + small * small)
    near = log1p(op, small + small * (small / (1.0 + h)))
    return tf.sign(x) * tf.where(a > 1e10, _log_of_twice(a), near)


@lowers_op("Acosh")
def acosh(op: Any, x: Any) -> Any:
    """Return acosh x = log1p(t + sqrt(t) sqrt(t + 2)), t = x - 1; NaN below 1."""
    if x.dtype != tf.float32:
        return NotImplemented
    t = tf.minimum(x, 1e10) - 1.0
    near = log1p(op, t + tf.sqrt(t) * tf.sqrt(t + 2.0))
    return tf.where(x > 1e10, _log_of_twice(x), near)


@lowers_op("Atanh")
def atanh(op: Any, x: Any) -> Any:
    """Return atanh x = sign(x) log1p(2 a / (1 - a)) / 2, a = |x|; infinite at ±1, NaN beyond."""
    if x.dtype != tf.float32:
        return NotImplemented
    a = tf.abs(x)
    return tf.sign(x) * (0.5 * log1p(op, 2.0 * a / (1.0 - a)))
