"""This package's Linear: x·w + b. ONNX: Gemm on matrices, MatMul and Add on more axes."""

from __future__ import annotations

from exporter.layers.linear import Linear
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_layer
from exporter.lowerings.onnx.value import Value


@lowers_layer(Linear)
def linear(g: Graph, layer: Linear, inputs: Value) -> Value:
    """(..., features) to (..., units)."""
    weight, bias = g.weight(layer.w), g.weight(layer.b)
    shape = (*inputs.shape[:-1], layer.units)
    if inputs.rank == 2:
        return g.op("Gemm", inputs, weight, bias, shape=shape)
    return g.op("Add", g.op("MatMul", inputs, weight, shape=shape), bias, shape=shape)
