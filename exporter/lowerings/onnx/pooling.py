"""Pooling layers."""

from __future__ import annotations

from typing import Any

import keras

from exporter.lowerings.onnx.convolution import padding, spatial_order
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_layer
from exporter.lowerings.onnx.value import Value

layers = keras.layers


@lowers_layer(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)
def max_pooling(g: Graph, layer: Any, inputs: Value) -> Value:
    """The maximum of each window."""
    return _pool(g, "MaxPool", layer, inputs)


@lowers_layer(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D)
def average_pooling(g: Graph, layer: Any, inputs: Value) -> Value:
    """The mean of each window; padding does not count."""
    return _pool(g, "AveragePool", layer, inputs, count_include_pad=0)


def _pool(g: Graph, kind: str, layer: Any, inputs: Value, **attributes: Any) -> Value:
    order = spatial_order(layer, inputs.rank)
    size, strides = list(layer.pool_size), list(layer.strides)
    return g.raw(
        kind,
        g.in_order(inputs, order),
        shape=tuple(layer.compute_output_shape(inputs.shape)),
        order=order,
        kernel_shape=size,
        strides=strides,
        **padding(layer.padding, len(size), tuple(size), [1] * len(size), strides),
        **attributes,
    )


@lowers_layer(layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D)
def global_average_pooling(g: Graph, layer: Any, inputs: Value) -> Value:
    """The mean over the spatial axes."""
    return _global(g, "GlobalAveragePool", layer, inputs)


@lowers_layer(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D)
def global_max_pooling(g: Graph, layer: Any, inputs: Value) -> Value:
    """The maximum over the spatial axes."""
    return _global(g, "GlobalMaxPool", layer, inputs)


def _global(g: Graph, kind: str, layer: Any, inputs: Value) -> Value:
    order = spatial_order(layer, inputs.rank)
    kept = tuple(d if axis in order[:2] else 1 for axis, d in enumerate(inputs.shape))
    y = g.raw(kind, g.in_order(inputs, order), shape=kept, order=order)
    if layer.keepdims:
        return y
    return g.raw("Flatten", y, shape=(inputs.shape[0], inputs.shape[order[1]]), axis=1)
