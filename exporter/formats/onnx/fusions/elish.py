"""ELiSH spelled with a Where: x · sigmoid(x) if x is positive, else (exp(x) - 1) · sigmoid(x)."""

from __future__ import annotations

from typing import Any

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.fusions.patterns import by_sign, times_sigmoid
from exporter.formats.onnx.fusions.registry import fuses
from exporter.formats.onnx.lowerings.activations.elish import elish as known_elish


def _above(op: Any, x: Any) -> Any:
    return times_sigmoid(op, x, x)


def _below(op: Any, x: Any) -> Any:
    return times_sigmoid(op, op.Sub(op.Exp(x), 1), x)


@fuses(*by_sign(_below, _above))
def elish(g: Graph, x: Value) -> Value:
    """Return elu(x) · sigmoid(x)."""
    return known_elish(g, x)
