"""Dense: Gemm on matrices, MatMul and Add on more axes."""

from __future__ import annotations

from typing import Any

import keras

from exporter.lowerings.onnx.activation import activate, known_activation
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_layer
from exporter.lowerings.onnx.value import Value


@lowers_layer(keras.layers.Dense, when=lambda layer, *_, **__: known_activation(layer.activation))
def dense(g: Graph, layer: Any, inputs: Value, training: Any = None) -> Value:
    """activation(x · kernel + bias)."""
    kernel = g.weight(layer.kernel)
    shape = (*inputs.shape[:-1], layer.units)
    if inputs.rank == 2:
        bias = [g.weight(layer.bias)] if layer.use_bias else []
        return activate(g, g.op("Gemm", inputs, kernel, *bias, shape=shape), layer.activation)
    y = g.op("MatMul", inputs, kernel, shape=shape)
    if layer.use_bias:
        y = g.op("Add", y, g.weight(layer.bias), shape=shape)
    return activate(g, y, layer.activation)
