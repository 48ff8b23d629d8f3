"""Softsign in steps, x / (1 + |x|): one op for three."""

from __future__ import annotations

from exporter.lowerings.onnx.fusions.registry import fuses
from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.sigmoidal import softsign as known_softsign
from exporter.lowerings.onnx.value import Value


@fuses(lambda op, x: op.Div(x, op.Add(op.Abs(x), 1)))
def softsign(g: Graph, x: Value) -> Value:
    """X / (1 + |x|)."""
    return known_softsign(g, x)
