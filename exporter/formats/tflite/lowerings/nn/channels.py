"""Convolutions of images whose channels are unknown: the kernel knows them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op


@lowers_op("Conv2D", "DepthwiseConv2dNative", priority=1)  # the others ask for the number of channels
def convolution(op: Any, x: Any, kernel: Any) -> Any:
    """Return the convolution of images that are told how many channels they have, by a RESHAPE; of one group."""
    channels = kernel.shape[2]
    if op.get_attr("data_format") != b"NHWC" or None in (x.shape.rank, channels) or x.shape[3] is not None:
        return NotImplemented
    x = tf.reshape(x, tf.stack([*sizes_of(x)[:3], channels]))
    attributes = {name: op.get_attr(name) for name in ("strides", "padding", "dilations", "explicit_paddings")}
    raw = tf.raw_ops.Conv2D if op.type == "Conv2D" else tf.raw_ops.DepthwiseConv2dNative
    return raw(input=x, filter=kernel, **attributes)
