"""The layers ReLU with a bound, and PReLU."""

from __future__ import annotations

from typing import Any

import keras
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import FUNCTIONS, lowers_function, lowers_layer


def _bounded(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> bool:
    return max_value is not None and threshold == 0


@lowers_function("keras.src.activations.activations.ReLU.static_call", when=_bounded)
def bounded_relu(
    g: Graph, x: Value, negative_slope: float = 0.0, max_value: float = 0.0, threshold: float = 0.0
) -> Value:
    """min(max(x, 0), max_value), or negative_slope · x below 0: Clip, or LeakyRelu and Min.

    Without a bound Keras calls relu or leaky_relu, which rounds a slope to float32 also among float64; a threshold is traced.
    """
    zero, high = g.constant(0, x.numpy_dtype), g.constant(max_value, x.numpy_dtype)
    if negative_slope == 0:
        return g.elementwise("Clip", x, zero, high)
    if x.dtype == ir.DataType.DOUBLE:
        low = g.elementwise("Mul", g.elementwise("Min", x, zero), negative_slope)
        return g.elementwise("Add", g.elementwise("Clip", x, zero, high), low)
    return g.elementwise("Min", FUNCTIONS["nn.leaky_relu"].lowering(g, x, negative_slope), high)


@lowers_layer(keras.layers.PReLU)
def prelu(g: Graph, layer: Any, inputs: Value) -> Value:
    """Return x, times the learned alpha below 0: the op PRelu, which has no float64 kernel."""
    alpha = g.weight(layer.alpha)
    if inputs.dtype == ir.DataType.FLOAT:
        return g.elementwise("PRelu", inputs, alpha)
    low = g.elementwise("Mul", g.elementwise("Min", inputs, g.constant(0, inputs.numpy_dtype)), alpha)
    return g.elementwise("Add", g.elementwise("Max", inputs, g.constant(0, inputs.numpy_dtype)), low)
