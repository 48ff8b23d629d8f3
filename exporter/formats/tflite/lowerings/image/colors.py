"""RGB to HSV and back, by comparing and scaling; values in [0, 1]. Hue, saturation and contrast by way of them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("RGBToHSV")
def rgb_to_hsv(op: Any, images: Any) -> Any:
    """Return hue, saturation and value.

    V = max(R, G, B), S = (V - min) / V, and H a sixth of (G - B) / (V - min) where R is largest, 2 + (B - R) / … for G,
    4 + (R - G) / … for B; 0 for grey.
    """
    red, green, blue = tf.unstack(images, num=3, axis=-1)
    value = tf.maximum(tf.maximum(red, green), blue)
    spread = value - tf.minimum(tf.minimum(red, green), blue)
    saturation = tf.where(value > 0.0, spread / tf.where(value > 0.0, value, 1.0), 0.0)
    scale = 1.0 / (6.0 * tf.where(spread > 0.0, spread, 1.0))
    hue = tf.where(
        red == value,
        (green - blue) * scale,
        tf.where(green == value, (blue - red) * scale + 2.0 / 6.0, (red - green) * scale + 4.0 / 6.0),
    )
    hue = tf.where(spread > 0.0, hue, 0.0)
    hue = tf.where(hue < 0.0, hue + 1.0, hue)
    return tf.stack([hue, saturation, value], axis=-1)


@lowers_op("HSVToRGB")
def hsv_to_rgb(op: Any, images: Any) -> Any:
    """Return red, green and blue: V (1 - S + S c), c = clip(|6 H - 3| - 1), clip(2 - |6 H - 2|), clip(2 - |6 H - 4|)."""
    hue, saturation, value = tf.unstack(images, num=3, axis=-1)
    sixths = 6.0 * hue
    channels = (tf.abs(sixths - 3.0) - 1.0, 2.0 - tf.abs(sixths - 2.0), 2.0 - tf.abs(sixths - 4.0))
    clipped = [tf.minimum(tf.maximum(c, 0.0), 1.0) for c in channels]
    return tf.stack([((1.0 - saturation) + saturation * c) * value for c in clipped], axis=-1)


@lowers_op("AdjustHue")
def adjust_hue(op: Any, images: Any, delta: Any) -> Any:
    """Return the images with their hue turned by `delta` of a full turn."""
    hue, saturation, value = tf.unstack(rgb_to_hsv(op, images), num=3, axis=-1)
    turned = hue + delta
    return hsv_to_rgb(op, tf.stack([turned - tf.floor(turned), saturation, value], axis=-1))


@lowers_op("AdjustSaturation")
def adjust_saturation(op: Any, images: Any, scale: Any) -> Any:
    """Return the images with their saturation multiplied, and kept within [0, 1]."""
    hue, saturation, value = tf.unstack(rgb_to_hsv(op, images), num=3, axis=-1)
    scaled = tf.minimum(tf.maximum(saturation * scale, 0.0), 1.0)
    return hsv_to_rgb(op, tf.stack([hue, scaled, value], axis=-1))


@lowers_op("AdjustContrastv2")
def adjust_contrast(op: Any, images: Any, factor: Any) -> Any:
    """Return (x - m) factor + m, m the mean of each channel of each image."""
    mean = tf.reduce_mean(images, axis=[-3, -2], keepdims=True)
    return (images - mean) * factor + mean
