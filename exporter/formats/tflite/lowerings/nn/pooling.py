"""Pooling in three dimensions: two dimensions at a time, since a window's maximum and mean are those of its slices.

[b, d, h, w, c] is pooled over (h, w) as the images [b d, h, w, c], then over d as the images [b, d, h w, c]. With padding
SAME a mean is over the entries that exist; every slice of a window has equally many, so a mean of means is the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op


@lowers_op("MaxPool3D")
def max_pool(op: Any, x: Any) -> Any:
    """Return the maximum of each window."""
    return _pooled(op, x, tf.nn.max_pool2d)


@lowers_op("AvgPool3D")
def average_pool(op: Any, x: Any) -> Any:
    """Return the mean of each window."""
    return _pooled(op, x, tf.nn.avg_pool2d)


def _pooled(op: Any, x: Any, pool: Callable[..., Any]) -> Any:
    last = op.get_attr("data_format") == b"NDHWC"
    if not last:
        x = tf.transpose(x, [0, 2, 3, 4, 1])
    space = slice(1, 4) if last else slice(2, 5)
    window, strides = op.get_attr("ksize")[space], op.get_attr("strides")[space]
    padding = op.get_attr("padding").decode()
    channels = x.shape[-1]
    shape = sizes_of(x)
    planes = pool(tf.reshape(x, [-1, *shape[2:]]), window[1:], strides[1:], padding)
    height, width = sizes_of(planes)[1:3]
    rows = tf.reshape(planes, [-1, shape[1], height * width, channels])
    pooled = pool(rows, [window[0], 1], [strides[0], 1], padding)
    result = tf.reshape(pooled, [-1, sizes_of(pooled)[1], height, width, channels])
    return result if last else tf.transpose(result, [0, 4, 1, 2, 3])
