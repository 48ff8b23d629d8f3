"""Convolutions of 1, 2 and 3 dimensions: Conv, channels-first in the file, with the bias in it.

The layers and `keras.ops.conv`, `depthwise_conv`, `separable_conv`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from exporter.formats.onnx.builder.graph import Graph, Operand
from exporter.formats.onnx.builder.value import Constant, Order, Value
from exporter.formats.onnx.builder.window import Number, image_order, image_shape, misplaced, spread, window
from exporter.formats.onnx.lowerings.activations.activation import activate, known_activation
from exporter.formats.onnx.lowerings.nn.split_convolution import summed
from exporter.formats.onnx.lowerings.nn.waveform import as_image
from exporter.formats.onnx.registry import lowers_function, lowers_layer

layers = keras.layers


def _traceable(layer: Any, *_: Any, **__: Any) -> bool:
    return known_activation(layer.activation)


@lowers_layer(layers.Conv1D, layers.Conv2D, layers.Conv3D, when=_traceable)
def convolution(g: Graph, layer: Any, inputs: Value) -> Value:
    """Correlate with the kernel, add the bias, activate."""
    kernel = g.weight(layer.kernel)
    bias = g.weight(layer.bias) if layer.use_bias else None
    return activate(g, _convolved(g, inputs, _kernel(g, kernel), bias, **_options(layer)), layer.activation)


@lowers_layer(layers.DepthwiseConv1D, layers.DepthwiseConv2D, when=_traceable)
def depthwise(g: Graph, layer: Any, inputs: Value) -> Value:
    """Correlate each channel with its own kernels: a grouped Conv."""
    kernel = _depthwise_kernel(g, g.weight(layer.kernel))
    bias = g.weight(layer.bias) if layer.use_bias else None
    return activate(g, _convolved(g, inputs, kernel, bias, **_options(layer)), layer.activation)


@lowers_layer(layers.SeparableConv1D, layers.SeparableConv2D, when=_traceable)
def separable(g: Graph, layer: Any, inputs: Value) -> Value:
    """Depthwise, then pointwise with the bias: two Convs."""
    options = _options(layer)
    if layer.padding == "causal":
        raise NotImplementedError('padding="causal" of a separable convolution')
    x = _convolved(g, inputs, _depthwise_kernel(g, g.weight(layer.depthwise_kernel)), None, **options)
    bias = g.weight(layer.bias) if layer.use_bias else None
    pointwise = _kernel(g, g.weight(layer.pointwise_kernel))
    return activate(g, _convolved(g, x, pointwise, bias, data_format=layer.data_format), layer.activation)


def _options(layer: Any) -> dict[str, Any]:
    names = {"strides": "strides", "padding": "padding", "data_format": "data_format", "dilations": "dilation_rate"}
    return {name: getattr(layer, attribute) for name, attribute in names.items()}


@lowers_function("nn.conv")
def conv(
    g: Graph,
    inputs: Value,
    kernel: Operand,
    strides: Number = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Number = 1,
) -> Value:
    """keras.ops.conv; the kernel may be computed."""
    held = _kernel(g, kernel)

    def of_image(image: Value, weights: Constant) -> Value:
        step, apart = ((1, *spread(number, 1)) for number in (strides, dilation_rate))
        return _convolved(g, image, weights, None, step, padding, data_format, apart)

    if (y := as_image(g, inputs, held, image_order(data_format, inputs.rank)[1], of_image)) is not None:
        return y
    return _convolved(g, inputs, held, None, strides, padding, data_format, dilation_rate)


@lowers_function("nn.depthwise_conv")
def depthwise_conv(
    g: Graph,
    inputs: Value,
    kernel: Operand,
    strides: Number = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Number = 1,
) -> Value:
    """keras.ops.depthwise_conv."""
    return _convolved(g, inputs, _depthwise_kernel(g, kernel), None, strides, padding, data_format, dilation_rate)


@lowers_function("nn.separable_conv")
def separable_conv(
    g: Graph,
    inputs: Value,
    depthwise_kernel: Operand,
    pointwise_kernel: Operand,
    strides: Number = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Number = 1,
) -> Value:
    """keras.ops.separable_conv."""
    x = depthwise_conv(g, inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(g, x, pointwise_kernel, data_format=data_format)


def _convolved(
    g: Graph,
    inputs: Value,
    kernel: Value,
    bias: Constant | None,
    strides: Number = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilations: Number = 1,
) -> Value:
    """Write a Conv; `kernel` is as ONNX has it, (filters, channels of a group, window …)."""
    order = image_order(data_format, inputs.rank)
    x = g.in_order(inputs, order)
    batch, channels, *spatial = x.file_shape
    view = window([d or 0 for d in kernel.shape[2:]], strides, dilations, padding, len(spatial))
    groups = (channels or 0) // (kernel.shape[1] or 1)
    shape = image_shape(order, batch, kernel.shape[0], view.places(tuple(spatial)))
    late = misplaced(bias, shape, data_format)

    def part(image: Value, weights: Constant, offset: Constant | None) -> Value:
        return _convolved(g, image, weights, offset, strides, padding, data_format, dilations)

    if not late and (whole := summed(g, inputs, kernel, bias, part)) is not None:
        return whole
    y = g.raw(
        "Conv",
        x,
        kernel,
        *([] if bias is None or late else [bias]),
        shape=shape,
        order=order,
        group=groups if groups > 1 else None,
        **view.attributes(tuple(spatial)),
    )
    return g.elementwise("Add", y, bias) if late else y


def _kernel(g: Graph, kernel: Operand) -> Value:
    """Turn Keras's (window …, channels, filters) into ONNX's (filters, channels, window …)."""
    kernel = g.value_of(kernel)
    last = kernel.rank - 1
    return _held(g, kernel, (last, last - 1, *range(last - 1)))


def _depthwise_kernel(g: Graph, kernel: Operand) -> Value:
    """Turn Keras's (window …, channels, multiplier) into ONNX's (channels · multiplier, 1, window …)."""
    kernel = g.value_of(kernel)
    *size, channels, multiplier = (int(d or 0) for d in kernel.shape)
    held = _held(g, kernel, (len(size), len(size) + 1, *range(len(size))))
    shape = (channels * multiplier, 1, *size)
    return held.reshape(*shape) if isinstance(held, Constant) else g.op("Reshape", held, np.array(shape), shape=shape)


def _held(g: Graph, kernel: Value, order: Order) -> Value:
    return kernel.transpose(*order) if isinstance(kernel, Constant) else g.in_order(kernel, order).as_filed()
