"""Large depthwise convolutions as sums of strips of their rows.

XNNPACK has fast kernels for depthwise convolutions of at most 25 taps; larger ones take several passes. A kernel of 7x7 is
the sum of kernels of 3x7, 3x7 and 1x7, each on the image moved down. Measured on ai-edge-litert 2.3, strips against one
op: 7x7 on 56x56x96 6.3x, 28x28x192 5.7x, 14x14x384 3.4x, 7x7x768 3.7x; 9x9 on 28x28x192 5.6x. For 5x5 they would be 0.5x.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op

TAPS = 25


@lowers_op("DepthwiseConv2dNative")
def depthwise(op: Any, x: Any, kernel: Any) -> Any:
    """Return the depthwise convolution of NHWC images, in strips if the kernel is large."""
    return _in_strips(op, x, kernel)


@lowers_op("Conv2D")
def grouped(op: Any, x: Any, kernel: Any) -> Any:
    """Return a convolution of as many groups as there are channels, which is depthwise, in strips likewise."""
    channels = x.shape[-1]
    if kernel.shape[2] != 1 or channels in (None, 1):
        return NotImplemented
    height, width, _, filters = kernel.shape
    if None in (height, width, filters):
        return NotImplemented
    return _in_strips(op, x, tf.reshape(kernel, [height, width, channels, filters // channels]))


def _in_strips(op: Any, x: Any, kernel: Any) -> Any:
    height, width = kernel.shape[:2]
    strides = op.get_attr("strides")
    padding = op.get_attr("padding")
    supported = op.get_attr("data_format") == b"NHWC" and set(op.get_attr("dilations")) == {1}
    if not supported or padding not in (b"SAME", b"VALID") or height * width <= TAPS:
        return NotImplemented
    if padding == b"SAME":
        if set(strides) != {1}:
            return NotImplemented
        x = tf.pad(x, [[0, 0], [(height - 1) // 2, height // 2], [(width - 1) // 2, width // 2], [0, 0]])
    rows = max(TAPS // width, 1)
    total = None
    for first in range(0, height, rows):
        last = min(first + rows, height)
        beyond = height - last  # rows of the image that only later strips reach
        part = x[:, first : -beyond if beyond else None]
        strip = tf.nn.depthwise_conv2d(part, kernel[first:last], strides, "VALID")
        total = strip if total is None else total + strip
    return total
