"""Convolutions: three dimensions as sums of two, channels last, dilated transposed ones with a wider kernel.

    y[d] = sum over the kernel's depth k of conv2d(x[s d + dilation k], kernel[k])

CONV_2D runs in XNNPACK, CONV_3D does not and has no groups and no dilation. Measured on ai-edge-litert 2.3, 3x3x3 kernels:
1.7x for 8x16x16x8 -> 16 channels, 2.65x for 16x32x32x16 -> 32, 1.9x for 8x14x14x64 -> 64; one convolution over the
concatenated slices is no faster.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from keras.src import backend

from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_function, lowers_op


@lowers_function("nn.conv")
def conv(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Replace `conv` of the backend for three dimensions and for channels first."""
    bound = inspect.signature(original).bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    x, kernel = tf.convert_to_tensor(given["inputs"]), tf.convert_to_tensor(given["kernel"])
    spatial = x.shape.rank - 2
    first = backend.standardize_data_format(given["data_format"]) == "channels_first"
    if spatial < 3 and not first:
        return original(*args, **kwargs)
    given["inputs"], given["data_format"] = _channels_last(x) if first else x, "channels_last"
    if spatial == 3:
        strides, dilation = _per_axis(given["strides"]), _per_axis(given["dilation_rate"])
        result = _conv3d(given["inputs"], kernel, strides, dilation, given["padding"].upper())
    else:
        result = original(*bound.args, **bound.kwargs)
    return _channels_first(result) if first else result


@lowers_function("nn.conv_transpose")
def conv_transpose(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Replace `conv_transpose` of the backend for channels first and for dilation.

    A dilated kernel is a wider one with zeros between its entries.
    """
    bound = inspect.signature(original).bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    x = tf.convert_to_tensor(given["inputs"])
    spatial = x.shape.rank - 2
    dilation = _per_axis(given["dilation_rate"], spatial)
    first = backend.standardize_data_format(given["data_format"]) == "channels_first"
    given["inputs"], given["data_format"] = _channels_last(x) if first else x, "channels_last"
    if max(dilation) > 1:
        given["kernel"] = _with_zeros(tf.convert_to_tensor(given["kernel"]), dilation)
        given["dilation_rate"] = 1
    result = original(*bound.args, **bound.kwargs)
    return _channels_first(result) if first else result


@lowers_op("BiasAdd")
def bias_add(op: Any, x: Any, bias: Any) -> Any:
    """Return x + bias along axis 1; the converter takes the last axis only."""
    if op.get_attr("data_format") != b"NCHW" or x.shape.rank == 2:
        return NotImplemented
    return x + tf.reshape(bias, [-1] + [1] * (x.shape.rank - 2))


def _conv3d(x: Any, kernel: Any, strides: Sequence[int], dilation: Sequence[int], padding: str) -> Any:
    """Return the convolution of [batch, depth, height, width, channels]."""
    depth, filters = kernel.shape[0], kernel.shape[-1]
    reach = (depth - 1) * dilation[0] + 1
    if padding == "SAME":
        x = _padded_depth(x, reach, strides[0])
    shape = tf.shape(x)
    steps = (x.shape[1] - reach) // strides[0] + 1 if x.shape[1] else (shape[1] - reach) // strides[0] + 1
    total = None
    for k in range(depth):
        start = k * dilation[0]
        planes = x[:, start : start + (steps - 1) * strides[0] + 1 : strides[0]]
        images = tf.reshape(planes, [-1, *sizes_of(x)[2:]])
        part = tf.nn.conv2d(images, kernel[k], strides[1:], padding, dilations=dilation[1:])
        total = part if total is None else total + part
    return tf.reshape(total, [-1, steps, *sizes_of(total)[1:3], filters])


def _padded_depth(x: Any, reach: int, stride: int) -> Any:
    """Pad the depth as TensorFlow's SAME does: the odd entry behind."""
    if x.shape[1] is not None:
        steps = -(-x.shape[1] // stride)
        total = max((steps - 1) * stride + reach - x.shape[1], 0)
    else:
        depth = tf.shape(x)[1]
        steps = (depth + stride - 1) // stride
        total = tf.maximum((steps - 1) * stride + reach - depth, 0)
    return tf.pad(x, [[0, 0], [total // 2, total - total // 2], [0, 0], [0, 0], [0, 0]])


def _with_zeros(kernel: Any, dilation: Sequence[int]) -> Any:
    """Return the kernel with `dilation - 1` zeros between its entries along each spatial axis."""
    for axis, rate in enumerate(dilation):
        size, shape = kernel.shape[axis], kernel.shape.as_list()
        spread = tf.expand_dims(kernel, axis + 1)
        paddings = [[0, rate - 1 if a == axis + 1 else 0] for a in range(len(shape) + 1)]
        shape[axis] = size * rate
        kernel = tf.reshape(tf.pad(spread, paddings), shape)
        kernel = kernel[(slice(None),) * axis + (slice(0, (size - 1) * rate + 1),)]
    return kernel


def _channels_last(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, [0, *range(2, rank), 1])


def _channels_first(x: Any) -> Any:
    rank = x.shape.rank
    return tf.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def _per_axis(value: int | Sequence[int], spatial: int = 3) -> tuple[int, ...]:
    return (value,) * spatial if isinstance(value, int) else tuple(value)
