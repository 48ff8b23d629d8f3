"""Resizing of images that is linear: one constant matrix along the height, one along the width.

TFLite resizes by nearest neighbour and bilinearly only. Bicubic, area, Lanczos and antialiased resizing weight fixed rows
and columns with fixed numbers, once the sizes are known. The numbers are TensorFlow's own: the matrix of a linear map is
what it makes of the unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.registry import lowers_op


@lowers_op("ResizeBicubic")
def resize_bicubic(op: Any, images: Any, size: Any) -> Any:
    """Return the images in another size by cubic interpolation."""

    def resize(x: Any, height: int, width: int) -> Any:
        return tf.raw_ops.ResizeBicubic(
            images=x,
            size=[height, width],
            align_corners=op.get_attr("align_corners"),
            half_pixel_centers=op.get_attr("half_pixel_centers"),
        )

    return _resized(images, size, resize)


@lowers_op("ResizeArea")
def resize_area(op: Any, images: Any, size: Any) -> Any:
    """Return the images in another size, each new pixel the mean of the area that it covers."""

    def resize(x: Any, height: int, width: int) -> Any:
        return tf.raw_ops.ResizeArea(images=x, size=[height, width], align_corners=op.get_attr("align_corners"))

    return _resized(images, size, resize)


@lowers_op("ScaleAndTranslate")
def scale_and_translate(op: Any, images: Any, size: Any, scale: Any, translation: Any) -> Any:
    """Return the images scaled and moved by constants, with a kernel (Lanczos, cubic, triangle, …)."""
    sizes, scales, moves = (constant(t) for t in (size, scale, translation))
    if sizes is None or scales is None or moves is None or None in images.shape[1:3]:
        return NotImplemented

    def along(axis: int) -> np.ndarray:
        def resize(x: Any, height: int, width: int) -> Any:
            del width
            return tf.raw_ops.ScaleAndTranslate(
                images=x,
                size=[height, 1],
                scale=[scales[axis], 1.0],
                translation=[moves[axis], 0.0],
                kernel_type=op.get_attr("kernel_type"),
                antialias=op.get_attr("antialias"),
            )

        return _matrix(resize, images.shape[1 + axis], int(sizes[axis]))

    return _applied(images, along(0), along(1))


def _resized(images: Any, size: Any, resize: Callable[[Any, int, int], Any]) -> Any:
    sizes = constant(size)
    if sizes is None or None in images.shape[1:3] or not images.dtype.is_floating:
        return NotImplemented
    matrices = [_matrix(resize, old, int(new)) for old, new in zip(images.shape[1:3], sizes, strict=True)]
    return _applied(images, *matrices)


def _matrix(resize: Callable[[Any, int, int], Any], old: int, new: int) -> np.ndarray:
    """Return the matrix [new, old] of a resizing of columns: one unit vector per channel."""
    with tf.init_scope():
        units = tf.reshape(tf.eye(old), [1, old, 1, old])
        return resize(units, new, 1).numpy().reshape(new, old)


def _applied(images: Any, rows: np.ndarray, columns: np.ndarray) -> Any:
    """Return rows · images · columnsᵀ for images [batch, height, width, channels], the smaller result first."""
    height, width, channels = len(rows), len(columns), images.shape[3]
    old_height, old_width = rows.shape[1], columns.shape[1]

    def along_height(x: Any, width: int) -> Any:
        product = tf.linalg.matmul(rows, tf.reshape(x, [-1, old_height, width * channels]))
        return tf.reshape(product, [-1, height, width, channels])

    def along_width(x: Any, height: int) -> Any:
        product = tf.linalg.matmul(columns, tf.reshape(x, [-1, old_width, channels]))
        return tf.reshape(product, [-1, height, width, channels])

    if height * old_width <= old_height * width:
        return along_width(along_height(images, old_width), height)
    return along_height(along_width(images, old_height), width)
