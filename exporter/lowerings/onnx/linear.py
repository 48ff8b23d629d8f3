"""This package's Linear: x·w + b, written as a Dense layer is."""

from __future__ import annotations

from exporter.layers.linear import Linear
from exporter.lowerings.onnx.dense import projected
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_layer
from exporter.lowerings.onnx.value import Value


@lowers_layer(Linear)
def linear(g: Graph, layer: Linear, inputs: Value) -> Value:
    """(..., features) to (..., units)."""
    return projected(g, inputs, g.weight(layer.w), g.weight(layer.b))
