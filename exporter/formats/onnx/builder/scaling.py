"""Matrices of ordinary size, for algorithms that square their elements."""

from __future__ import annotations

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.math.reduction import extreme


def scaled(g: Graph, a: Value) -> tuple[Value, Value]:
    """Return matrices divided by their largest element, and that element, (..., 1, 1): 1 for a matrix of zeros."""
    largest, zero, one = magnitude(g, a), g.constant(0, a.numpy_dtype), g.constant(1, a.numpy_dtype)
    divisor = g.op("Where", g.op("Equal", largest, zero), one, largest, dtype=a.dtype)
    return g.op("Div", a, divisor, shape=a.shape), divisor


def magnitude(g: Graph, a: Value) -> Value:
    """Return the largest element of each matrix, without its sign, (..., 1, 1)."""
    return extreme(g, "ReduceMax", g.op("Abs", a), [a.rank - 2, a.rank - 1], True)
