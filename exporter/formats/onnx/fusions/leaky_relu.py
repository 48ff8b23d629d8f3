"""Leaky ReLU spelled with a Where, x if x > 0 else slope · x, or as a maximum: LeakyRelu, 19 µs for 27 and more.

Of 32,768 elements, ONNX Runtime 1.32, one thread.
"""

from __future__ import annotations

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.fusions.patterns import by_sign
from exporter.formats.onnx.fusions.registry import fuses
from exporter.formats.onnx.lowerings.activations.piecewise import leaky_relu as known_leaky_relu


@fuses(*by_sign(lambda op, x, slope: op.Mul(x, slope)))
def leaky_relu(g: Graph, x: Value, slope: float) -> Value:
    """Compute x where x > 0, else slope · x."""
    return known_leaky_relu(g, x, slope)


@fuses(lambda op, x, slope: op.Max(x, op.Mul(x, slope)))
def maximum(g: Graph, x: Value, slope: float) -> Value | None:
    """max(x, slope · x). Of a slope of 0, infinity would be NaN."""
    return known_leaky_relu(g, x, slope) if 0 < slope <= 1 else None
