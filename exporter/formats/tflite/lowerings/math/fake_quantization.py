"""Quantization that is only simulated: rounded to a grid, in floats, as TensorFlow's kernels do.

FakeQuant moves its range so that 0 lies on the grid ("nudged"), and rounds halves up. LiteRT's FAKE_QUANT and QUANTIZE with
DEQUANTIZE move and round otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op

LARGEST = float(np.finfo("float32").max)


@lowers_op("FakeQuantWithMinMaxArgs")
def with_constants(op: Any, x: Any) -> Any:
    """Return x on a grid whose range is fixed."""
    return _faked(op, x, tf.constant(op.get_attr("min"), tf.float32), tf.constant(op.get_attr("max"), tf.float32))


@lowers_op("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")
def with_variables(op: Any, x: Any, low: Any, high: Any) -> Any:
    """Return x on a grid whose range is computed, also for each channel."""
    return _faked(op, x, low, high)


def _faked(op: Any, x: Any, low: Any, high: Any) -> Any:
    least, most = float(op.get_attr("narrow_range")), 2.0 ** op.get_attr("num_bits") - 1.0
    scale = (high - low) / (most - least)
    inverse = (most - least) / (high - low)
    zero = least - low / scale
    nudged = tf.clip_by_value(tf.floor(zero + 0.5), least, most)
    first, last = (least - nudged) * scale, (most - nudged) * scale
    shifted = tf.minimum(tf.maximum(x, first), last) - first
    level = tf.floor(-first * inverse + 0.5)
    result = tf.floor(shifted * inverse - level + 0.5) * scale
    return tf.where(tf.equal(low, high), tf.zeros_like(x), result)


@lowers_op("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV4")
def there_and_back(op: Any, x: Any, low: Any, high: Any) -> Any:
    """Return x on a grid of 2^bits steps through 0, scaled to the side of its range that needs more."""
    return _there_and_back(op, x, low, high, op.get_attr("num_bits"))


@lowers_op("QuantizeAndDequantizeV3")
def there_and_back_of_bits(op: Any, x: Any, low: Any, high: Any, bits: Any) -> Any:
    """Return the same, the number of bits an input, which must be a constant."""
    value = tf.get_static_value(bits)
    return NotImplemented if value is None else _there_and_back(op, x, low, high, int(value), rounds="HALF_TO_EVEN")


def _there_and_back(op: Any, x: Any, low: Any, high: Any, bits: int, rounds: str = "") -> Any:
    if x.shape.rank is None:
        return NotImplemented
    signed, given, axis = op.get_attr("signed_input"), op.get_attr("range_given"), op.get_attr("axis")
    least = -(2.0 ** (bits - 1)) + op.get_attr("narrow_range") if signed else 0.0
    most = 2.0 ** (bits - 1) - 1.0 if signed else 2.0**bits - 1.0
    low, high = (_along(v, x, axis) for v in (low, high)) if given else _range(x, axis)
    low_scale = tf.where(least * low > 0.0, least / low, LARGEST)
    high_scale = tf.where(most * high > 0.0, most / high, LARGEST)
    by_low = low_scale < high_scale
    scale = tf.minimum(low_scale, high_scale)
    inverse = tf.where(by_low, low / least, high / most) if least else high / most
    if given:
        first, last = tf.where(by_low, low, least * inverse), tf.where(by_low, most * inverse, high)
        x = tf.maximum(tf.minimum(x, last), first)
    rounds = rounds or op.get_attr("round_mode").decode()
    grid = tf.round(x * scale) if rounds == "HALF_TO_EVEN" else tf.floor(x * scale + 0.5)
    return grid * inverse


def _range(x: Any, axis: int) -> tuple[Any, Any]:
    axes = [a for a in range(x.shape.rank) if axis < 0 or a != axis]
    return tf.reduce_min(x, axes, keepdims=True), tf.reduce_max(x, axes, keepdims=True)


def _along(value: Any, x: Any, axis: int) -> Any:
    """Return a number, or one for each place along an axis, in a shape that goes with x."""
    return value if axis < 0 else tf.reshape(value, [-1 if a == axis else 1 for a in range(x.shape.rank)])
