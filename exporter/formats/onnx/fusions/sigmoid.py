"""The logistic function spelled 1 / (1 + exp(-x)), and x times it: Sigmoid, one op for four."""

from __future__ import annotations

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.fusions.registry import fuses


@fuses(lambda op, x: op.Div(1, op.Add(op.Exp(op.Neg(x)), 1)))
def sigmoid(g: Graph, x: Value) -> Value:
    """Return 1 / (1 + exp(-x))."""
    return g.elementwise("Sigmoid", x)


@fuses(lambda op, x: op.Div(x, op.Add(op.Exp(op.Neg(x)), 1)))
def swish(g: Graph, x: Value) -> Value:
    """Return x / (1 + exp(-x)), NaN at -Inf like the quotient."""
    return g.elementwise("Mul", x, g.elementwise("Sigmoid", x))
