"""Convolutions of 1, 2 and 3 dimensions: Conv, channels-first in the file."""

from __future__ import annotations

from typing import Any

import keras

from exporter.lowerings.onnx.activation import activate, known_activation
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_layer
from exporter.lowerings.onnx.value import Constant, Order, Shape, Value, channels_first, identity

layers = keras.layers


def spatial_order(layer: Any, rank: int) -> Order:
    """Return the order in which the input of a spatial layer must lie: channels first."""
    return channels_first(rank) if layer.data_format == "channels_last" else identity(rank)


def _traceable(layer: Any, *_: Any, **__: Any) -> bool:
    return known_activation(layer.activation) and layer.padding in ("same", "valid", "causal")


@lowers_layer(layers.Conv1D, layers.Conv2D, layers.Conv3D, when=_traceable)
def convolution(g: Graph, layer: Any, inputs: Value) -> Value:
    """Correlate with the kernel, add the bias, activate."""
    kernel = g.weight(layer.kernel)
    spatial = tuple(range(kernel.rank - 2))
    return _conv(g, layer, inputs, kernel.transpose(kernel.rank - 1, kernel.rank - 2, *spatial), layer.groups)


@lowers_layer(layers.DepthwiseConv1D, layers.DepthwiseConv2D, when=_traceable)
def depthwise(g: Graph, layer: Any, inputs: Value) -> Value:
    """Correlate each channel with its own kernels: a grouped Conv."""
    return _conv(g, layer, inputs, _depthwise_kernel(g, layer.kernel), layer.kernel.shape[-2])


def _depthwise_kernel(g: Graph, variable: Any) -> Constant:
    kernel = g.weight(variable)
    *spatial, channels, multiplier = (int(d or 0) for d in kernel.shape)
    axes = tuple(range(len(spatial)))
    return kernel.transpose(len(axes), len(axes) + 1, *axes).reshape(channels * multiplier, 1, *spatial)


def _conv(g: Graph, layer: Any, inputs: Value, kernel: Constant, groups: int) -> Value:
    order = spatial_order(layer, inputs.rank)
    x = g.in_order(inputs, order)
    size = kernel.shape[2:]
    strides, dilations = list(layer.strides), list(layer.dilation_rate)
    bias = [g.weight(layer.bias)] if layer.use_bias else []
    y = g.raw(
        "Conv",
        x,
        kernel,
        *bias,
        shape=_output_shape(layer, inputs),
        order=order,
        kernel_shape=[d or 0 for d in size],
        strides=strides,
        dilations=dilations,
        group=groups,
        **padding(layer.padding, len(strides), size, dilations, strides),
    )
    return activate(g, y, layer.activation)


def _output_shape(layer: Any, inputs: Value) -> Shape:
    return tuple(layer.compute_output_shape(inputs.shape))


def padding(kind: str, rank: int, size: Shape, dilations: list[int], strides: list[int]) -> dict[str, Any]:
    """Return the attributes of Conv or a pooling op for Keras's "same", "valid" or "causal"."""
    if kind == "same":
        return {"auto_pad": "SAME_UPPER"}
    if kind == "causal":
        return {"pads": [(size[0] or 1) * dilations[0] - dilations[0], 0]}
    return {}
