"""Softsign in steps, x / (1 + |x|): one op for three."""

from __future__ import annotations

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.fusions.registry import fuses
from exporter.formats.onnx.lowerings.activations.smooth import softsign as known_softsign


@fuses(lambda op, x: op.Div(x, op.Add(op.Abs(x), 1)))
def softsign(g: Graph, x: Value) -> Value:
    """Compute x / (1 + |x|)."""
    return known_softsign(g, x)
