"""Images seen through a projective transform: each new pixel looks up where it comes from, by GATHER.

x' = (a0 x + a1 y + a2) / k,  y' = (b0 x + b1 y + b2) / k,  k = c0 x + c1 y + 1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.registry import lowers_op


def _reflected(x: Any, size: int) -> Any:
    """Mirror [abcd] to [dcba|abcd|dcba], with the period 2 size."""
    x -= 2.0 * size * tf.floor(x / (2.0 * size))
    return tf.where(x >= size, 2.0 * size - x - 1.0, x)


def _wrapped(x: Any, size: int) -> Any:
    """Repeat the image: what lies before it has the period size, what lies behind it too, cut at the last pixel."""
    if size == 1:
        return tf.zeros_like(x)
    before = x + size * (tf.floor(-x / (size - 1)) + 1.0)
    behind = x - size * tf.floor(x / (size - 1))
    return tf.where(x < 0.0, before, tf.where(x > size - 1, behind, x))


MODES: Mapping[bytes, Callable[[Any, int], Any]] = {
    b"CONSTANT": lambda x, size: x,
    b"NEAREST": lambda x, size: x,
    b"REFLECT": _reflected,
    b"WRAP": _wrapped,
}


@lowers_op("ImageProjectiveTransformV3", "ImageProjectiveTransformV2")
def projected(op: Any, images: Any, transforms: Any, size: Any, fill: Any = 0.0) -> Any:
    """Return images [batch, height, width, channels] seen through transforms [batch or 1, 8], in another size."""
    sizes, mode = constant(size), op.get_attr("fill_mode")
    if sizes is None or None in images.shape[1:] or images.dtype != tf.float32 or mode not in MODES:
        return NotImplemented
    places, outside = _sources(transforms, *(int(n) for n in sizes))
    bounds = images.shape[1:3].as_list()
    x, y = (MODES[mode](p, n) for p, n in zip(places, reversed(bounds), strict=True))
    if mode != b"CONSTANT":
        x, y = (tf.minimum(tf.maximum(p, 0.0), n - 1.0) for p, n in ((x, bounds[1]), (y, bounds[0])))
    read = _reader(images, fill)
    pixels = _nearest(read, x, y) if op.get_attr("interpolation") == b"NEAREST" else _bilinear(read, x, y)
    pixels = tf.where(outside[..., None], fill, pixels)
    return tf.reshape(pixels, [-1, *(int(n) for n in sizes), images.shape[3]])


def _sources(transforms: Any, height: int, width: int) -> tuple[tuple[Any, Any], Any]:
    """Return where each new pixel comes from, x and y of [batch, pixels], and which of them come from nowhere (k = 0)."""
    y, x = (g.reshape(1, -1).astype("float32") for g in np.mgrid[:height, :width])
    a0, a1, a2, b0, b1, b2, c0, c1 = tf.split(transforms, 8, axis=1)
    k = c0 * x + c1 * y + 1.0
    nowhere = tf.equal(k, 0.0)
    k = tf.where(nowhere, 1.0, k)
    return ((a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k), nowhere


def _reader(images: Any, fill: Any) -> Callable[[Any, Any], Any]:
    """Return a function from whole x and y, [batch or 1, pixels], to [batch, pixels, channels], `fill` out of bounds."""
    height, width, channels = images.shape[1:]
    flat = tf.reshape(images, [-1, height * width, channels])
    every = tf.zeros_like(flat[:, :1, 0])  # one transform may serve all images

    def read(x: Any, y: Any) -> Any:
        near_x, near_y = tf.minimum(tf.maximum(x, 0.0), width - 1.0), tf.minimum(tf.maximum(y, 0.0), height - 1.0)
        inside = tf.equal(x, near_x) & tf.equal(y, near_y)
        places = tf.cast(near_y * width + near_x + every, tf.int32)
        return tf.where(inside[..., None], tf.gather(flat, places, axis=1, batch_dims=1), fill)

    return read


def _nearest(read: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """Return the nearest pixels; halves away from zero."""
    return read(*(tf.sign(p) * tf.floor(tf.abs(p) + 0.5) for p in (x, y)))


def _bilinear(read: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    left, top = tf.floor(x), tf.floor(y)
    right, below = (x - left)[..., None], (y - top)[..., None]
    upper = (1.0 - right) * read(left, top) + right * read(left + 1.0, top)
    lower = (1.0 - right) * read(left, top + 1.0) + right * read(left + 1.0, top + 1.0)
    return (1.0 - below) * upper + below * lower
