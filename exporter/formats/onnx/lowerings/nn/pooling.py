"""Pooling: MaxPool and AveragePool, channels-first in the file; padding does not count.

The layers and `keras.ops.max_pool`, `average_pool`, and the layers that pool everything.
"""

from __future__ import annotations

from typing import Any

import keras

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Order, Value
from exporter.formats.onnx.builder.window import Number, image_order, image_shape, window
from exporter.formats.onnx.registry import lowers_function, lowers_layer

layers = keras.layers


@lowers_function("nn.max_pool")
def max_pool(
    g: Graph,
    inputs: Value,
    pool_size: Number,
    strides: Number | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """The maximum of each window."""
    return _pooled(g, "MaxPool", inputs, pool_size, strides, padding, data_format)


@lowers_function("nn.average_pool")
def average_pool(
    g: Graph,
    inputs: Value,
    pool_size: Number,
    strides: Number | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """The mean of each window."""
    return _pooled(g, "AveragePool", inputs, pool_size, strides, padding, data_format)


def _pooled(
    g: Graph,
    kind: str,
    inputs: Value,
    pool_size: Number,
    strides: Number | None,
    padding: str,
    data_format: str | None,
) -> Value:
    order = image_order(data_format, inputs.rank)
    x = g.in_order(inputs, order)
    batch, channels, *spatial = x.file_shape
    view = window(pool_size, strides, 1, padding, len(spatial))
    shape = image_shape(order, batch, channels, view.places(tuple(spatial)))
    return g.raw(kind, x, shape=shape, order=order, **view.attributes(tuple(spatial)))


@lowers_layer(layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D)
def global_average_pooling(g: Graph, layer: Any, inputs: Value) -> Value:
    """The mean over the spatial axes."""
    return _global(g, "GlobalAveragePool", layer, inputs)


@lowers_layer(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D)
def global_max_pooling(g: Graph, layer: Any, inputs: Value) -> Value:
    """The maximum over the spatial axes."""
    return _global(g, "GlobalMaxPool", layer, inputs)


def _global(g: Graph, kind: str, layer: Any, inputs: Value) -> Value:
    kept_axes = image_order(layer.data_format, inputs.rank)[:2]
    order = (
        *kept_axes,
        *(axis for axis in inputs.order if axis not in kept_axes),
    )  # the others, as they happen to stand
    x = g.in_order(inputs, order)
    kept = tuple(d if axis in kept_axes else 1 for axis, d in enumerate(inputs.shape))
    y = g.raw(kind, x, shape=kept, order=order)
    return y if layer.keepdims else _without_spatial(g, y, order)


def _without_spatial(g: Graph, y: Value, order: Order) -> Value:
    return g.raw("Flatten", y, shape=tuple(y.shape[axis] for axis in order[:2]), axis=1)
