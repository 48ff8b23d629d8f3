"""This package's Linear: x·w + b, written as a Dense layer is."""

from __future__ import annotations

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.nn.dense import projected
from exporter.formats.onnx.registry import lowers_layer
from exporter.layers.linear import Linear


@lowers_layer(Linear)
def linear(g: Graph, layer: Linear, inputs: Value) -> Value:
    """(..., features) to (..., units)."""
    return projected(g, inputs, g.weight(layer.w), g.weight(layer.b))
