"""Boxes of images, each resized to one size: four pixels gathered for each of the box, or the nearest one."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op


@lowers_op("CropAndResize")
def crop_and_resize(op: Any, images: Any, boxes: Any, numbers: Any, size: Any) -> Any:
    """Return [boxes, height, width, channels]; what lies beyond the image takes the value of extrapolation."""
    wanted = constant(size)
    if images.shape.rank != 4 or wanted is None:
        return NotImplemented
    images, (_, height, width, channels) = tf.cast(images, tf.float32), sizes_of(images)
    rows, row_lies = _places(boxes[:, 0], boxes[:, 2], height, int(wanted[0]))
    columns, column_lies = _places(boxes[:, 1], boxes[:, 3], width, int(wanted[1]))
    pixels = tf.reshape(images, tf.stack([-1, channels]))

    def picked(row: Any, column: Any) -> Any:
        first = tf.cast(numbers, tf.int32)[:, None] * height + _within(row, height)
        return tf.gather(pixels, first[:, :, None] * width + _within(column, width)[:, None])

    if op.get_attr("method") == b"nearest":
        result = picked(tf.floor(rows + 0.5), tf.floor(columns + 0.5))
    else:
        top, left = tf.floor(rows), tf.floor(columns)
        down, across = (rows - top)[:, :, None, None], (columns - left)[:, None, :, None]
        upper = picked(top, left) + (picked(top, left + 1.0) - picked(top, left)) * across
        lower = picked(top + 1.0, left) + (picked(top + 1.0, left + 1.0) - picked(top + 1.0, left)) * across
        result = upper + (lower - upper) * down
    lies = row_lies[:, :, None, None] & column_lies[:, None, :, None]
    return tf.where(lies, result, op.get_attr("extrapolation_value"))


def _places(first: Any, last: Any, size: Any, count: int) -> tuple[Any, Any]:
    """Return `count` places between the edges of each box, in pixels, and which of them lie in the image."""
    end = tf.cast(size - 1, tf.float32)
    if count > 1:
        step = (last - first) * end / float(count - 1)
        places = (first * end)[:, None] + tf.range(count, dtype=tf.float32) * step[:, None]
    else:
        places = (0.5 * (first + last) * end)[:, None]
    return places, (places >= 0.0) & (places <= end)


def _within(place: Any, size: Any) -> Any:
    return tf.minimum(tf.maximum(tf.cast(place, tf.int32), 0), size - 1)
