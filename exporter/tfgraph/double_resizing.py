"""Bilinear resizing in double: TensorFlow's op takes doubles, but places and weighs the pixels in float32.

    y[i] = x[floor s] + t (x[floor s + 1] - x[floor s]),   t = s - floor s,   s = (i + 1/2) n / m - 1/2

for each axis of n pixels that becomes m, indices cut at the edges; s = i n / m without `half_pixel_centers`, and
i (n - 1) / (m - 1) with `align_corners`. Where n / m is no short binary fraction, the rounding of s is most of the op's error:
4e-6 of a pixel at 45 pixels. A reference with the same rounding would take it for none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any


def _resized(op: Any, images: Any, size: Any) -> Any:
    import tensorflow as tf

    for axis in (1, 2):
        pixels, wanted = tf.shape(images)[axis], size[axis - 1]
        place = _places(op, tf.cast(pixels, tf.float64), tf.cast(wanted, tf.float64))
        before = tf.floor(place)
        weight = tf.reshape(place - before, [-1, 1] if axis == 2 else [-1, 1, 1])
        first = _at(images, before, pixels, axis)
        images = first + weight * (_at(images, before + 1, pixels, axis) - first)
    return images


def _places(op: Any, n: Any, m: Any) -> Any:
    """Return s, where each of the m pixels lies among the n."""
    import tensorflow as tf

    i = tf.range(m)
    if op.get_attr("half_pixel_centers"):
        return (i + 0.5) * n / m - 0.5
    if op.get_attr("align_corners"):
        return i * tf.where(m > 1, (n - 1) / tf.maximum(m - 1, 1), n / m)
    return i * n / m


def _at(images: Any, places: Any, pixels: Any, axis: int) -> Any:
    import tensorflow as tf

    index = tf.clip_by_value(tf.cast(places, tf.int32), 0, pixels - 1)
    return tf.gather(tf.cast(images, tf.float64), index, axis=axis)


IN_DOUBLE: Mapping[str, Callable[..., Any]] = MappingProxyType({"ResizeBilinear": _resized})
