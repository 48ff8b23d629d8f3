"""Cumulative products and log-sum-exps along an axis, by doubling: log2(n) steps of shifting and combining.

After the step with shift k, entry i combines the entries i - 2k + 1 to i. Needs a static length of the axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("Cumprod")
def cumprod(op: Any, x: Any, axis: Any) -> Any:
    """Return the products of x[0], x[0] x[1] and so on."""
    return _scanned(op, x, axis, tf.multiply, 1)


@lowers_op("CumulativeLogsumexp")
def cumulative_logsumexp(op: Any, x: Any, axis: Any) -> Any:
    """Return log(e^x[0]), log(e^x[0] + e^x[1]) and so on."""

    def logaddexp(a: Any, b: Any) -> Any:
        low, high = tf.minimum(a, b), tf.maximum(a, b)
        return high + tf.math.log(1.0 + tf.exp(low - high))

    return _scanned(op, x, axis, logaddexp, -1e38)


def _scanned(op: Any, x: Any, axis: Any, combine: Callable[[Any, Any], Any], neutral: float) -> Any:
    axis = tf.get_static_value(axis)
    length = None if axis is None else x.shape[int(axis)]
    if length is None:
        return NotImplemented
    axis = int(axis) % x.shape.rank
    if op.get_attr("reverse"):
        x = tf.reverse(x, [axis])
    shift = 1
    while shift < length:
        x = combine(x, _delayed(x, axis, shift, neutral))
        shift *= 2
    if op.get_attr("exclusive"):
        x = _delayed(x, axis, 1, neutral)
    return tf.reverse(x, [axis]) if op.get_attr("reverse") else x


def _delayed(x: Any, axis: int, shift: int, neutral: float) -> Any:
    """Return x moved by `shift` along `axis`, neutral elements moving in."""
    kept = x[(slice(None),) * axis + (slice(0, -shift),)]
    paddings = [[0, 0]] * axis + [[shift, 0]] + [[0, 0]] * (x.shape.rank - axis - 1)
    return tf.pad(kept, paddings, constant_values=tf.cast(neutral, x.dtype))
