"""Convolutions with padding "same" whose stride is larger than the kernel: the image is cut, and nothing is padded.

Of 16 rows a kernel of 3 at a stride of 4 reads 15. LiteRT up to 2.14 takes the row that is left over for a padding of -1, and
all of the result is wrong; newer ones are right. So the image is cut to what the windows reach, and the padding is "valid".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op


@lowers_op("Conv2D", priority=-1)
def convolution(op: Any, x: Any, kernel: Any) -> Any:
    """Return a convolution whose windows do not reach all of the image."""
    return _cut(op, x, kernel, lambda x, strides: tf.nn.conv2d(x, kernel, strides, "VALID"))


@lowers_op("DepthwiseConv2dNative", priority=-1)
def depthwise(op: Any, x: Any, kernel: Any) -> Any:
    """Return a depthwise convolution of that kind."""
    return _cut(op, x, kernel, lambda x, strides: tf.nn.depthwise_conv2d(x, kernel, strides, "VALID"))


def _cut(op: Any, x: Any, kernel: Any, convolve: Callable[[Any, Any], Any]) -> Any:
    strides, sizes = op.get_attr("strides"), list(kernel.shape[:2])
    plain = op.get_attr("data_format") == b"NHWC" and set(op.get_attr("dilations")) == {1} and None not in sizes
    if not plain or op.get_attr("padding") != b"SAME" or x.shape[3] is None:
        return NotImplemented
    axes = [_reach(x, axis, size, strides[axis]) for axis, size in zip((1, 2), sizes, strict=True)]
    if not any(map(_leaves_rows, [x.shape[1], x.shape[2]], axes, sizes, strides[1:3])):
        return NotImplemented
    shape = sizes_of(x)
    padding = [_padding(shape[axis], reach) for axis, reach in zip((1, 2), axes, strict=True)]
    x = x[:, : axes[0], : axes[1]]  # more than there is: all of it
    if any(p is not None for p in padding):
        x, channels = tf.pad(x, tf.stack([[0, 0], *(p or [0, 0] for p in padding), [0, 0]])), x.shape[3]
        x = tf.reshape(
            x, tf.stack([*sizes_of(x)[:3], channels])
        )  # the converter forgets the channels of a computed padding
    return convolve(x, strides)


def _reach(x: Any, axis: int, kernel: int, stride: int) -> Any:
    """Return how many rows the windows span: (ceil(size / stride) - 1) stride + kernel."""
    size = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
    return ((size + stride - 1) // stride - 1) * stride + kernel


def _leaves_rows(size: int | None, reach: Any, kernel: int, stride: int) -> bool:
    """Return whether rows may be left over, by a kernel of more than one."""
    return 1 < kernel < stride and (size is None or reach < size)


def _padding(size: Any, reach: Any) -> list[Any] | None:
    """Return the rows to add before and behind, the odd one behind; None for none."""
    if isinstance(size, int) and isinstance(reach, int):
        total: Any = max(reach - size, 0)
        return [total // 2, total - total // 2] if total else None
    total = tf.maximum(reach - size, 0)
    return [total // 2, total - total // 2]
