"""Maxima of windows with their places: every place of a window is a strided slice, and ARG_MAX takes the first largest one."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op


@lowers_op("MaxPoolWithArgmax")
def max_pool(op: Any, x: Any) -> Any:
    """Return the maximum of each window, and its place in the flattened image, or in the batch."""
    if not x.dtype.is_floating or x.shape.rank != 4:
        return NotImplemented
    window, strides, same = op.get_attr("ksize")[1:3], op.get_attr("strides")[1:3], op.get_attr("padding") == b"SAME"
    batch, height, width, channels = sizes_of(x)
    rows, top, below = _steps(height, window[0], strides[0], same)
    columns, left, right = _steps(width, window[1], strides[1], same)
    padding = tf.stack([[0, 0], [top, below], [left, right], [0, 0]])
    padded = tf.pad(x, padding, constant_values=x.dtype.min)
    slices = [
        padded[:, y : y + (rows - 1) * strides[0] + 1 : strides[0], c : c + (columns - 1) * strides[1] + 1 : strides[1]]
        for y in range(window[0])
        for c in range(window[1])
    ]
    stacked = tf.stack(slices, -1)
    best = tf.argmax(stacked, -1, output_type=tf.int32)
    down = (tf.range(rows) * strides[0] - top)[:, None, None] + best // window[1]
    across = (tf.range(columns) * strides[1] - left)[:, None] + best % window[1]
    place = (down * width + across) * channels + tf.range(channels)
    if op.get_attr("include_batch_in_index"):
        place += (tf.range(batch) * height * width * channels)[:, None, None, None]
    return [tf.reduce_max(stacked, -1), tf.cast(place, op.outputs[1].dtype)]


def _steps(size: Any, window: int, stride: int, same: bool) -> tuple[Any, Any, Any]:
    """Return how many windows there are along an axis, and how much is added before and behind."""
    if not same:
        return (size - window) // stride + 1, 0, 0
    steps = (size + stride - 1) // stride
    total = (steps - 1) * stride + window - size
    total = max(total, 0) if isinstance(total, int) else tf.maximum(total, 0)
    return steps, total // 2, total - total // 2
