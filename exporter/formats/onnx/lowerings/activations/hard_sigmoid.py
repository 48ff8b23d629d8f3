"""This package's hard sigmoid, max(0, min(1, slope · x + offset)), and x times it.

ONNX: HardSigmoid; Clip, HardSigmoid, Mul. The op HardSwish has one slope only, and ONNX Runtime composes it of these.
"""

from __future__ import annotations

import onnx_ir as ir

from exporter.activations.hard_sigmoid import hard_sigmoid as own_hard_sigmoid
from exporter.activations.hard_swish import hard_swish as own_hard_swish
from exporter.formats.onnx.builder.floats import above_negative_infinity, as_float
from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import lowers_activation, lowers_layer
from exporter.layers.hard_sigmoid import HardSigmoid
from exporter.layers.hard_swish import HardSwish


@lowers_activation(own_hard_sigmoid)
def hard_sigmoid(g: Graph, x: Value, slope: float = 0.2, offset: float = 0.5) -> Value:
    """max(0, min(1, slope · x + offset))."""
    x = as_float(g, x)
    if x.dtype == ir.DataType.FLOAT:
        return g.elementwise("HardSigmoid", x, alpha=slope, beta=offset)
    line = g.elementwise("Add", g.elementwise("Mul", x, slope), offset)
    return g.elementwise("Clip", line, g.constant(0, x.numpy_dtype), g.constant(1, x.numpy_dtype))


@lowers_activation(own_hard_swish)
def hard_swish(g: Graph, x: Value, slope: float = 0.2, offset: float = 0.5) -> Value:
    """Return x · hard_sigmoid(x), and 0 at -Inf."""
    finite = above_negative_infinity(g, as_float(g, x))
    return g.elementwise("Mul", finite, hard_sigmoid(g, finite, slope, offset))


@lowers_layer(HardSigmoid)
def hard_sigmoid_layer(g: Graph, layer: HardSigmoid, inputs: Value) -> Value:
    """The hard sigmoid with the layer's slope and offset."""
    return hard_sigmoid(g, inputs, layer.slope, layer.offset)


@lowers_layer(HardSwish)
def hard_swish_layer(g: Graph, layer: HardSwish, inputs: Value) -> Value:
    """Return x times the hard sigmoid with the layer's slope and offset."""
    return hard_swish(g, inputs, layer.slope, layer.offset)
