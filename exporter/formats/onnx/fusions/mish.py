"""Mish spelled with a logarithm: x · tanh(log(1 + exp(x))). With a softplus, the lowering of tanh knows it."""

from __future__ import annotations

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.fusions.registry import fuses
from exporter.formats.onnx.lowerings.activations.mish import mish as known_mish


@fuses(lambda op, x: op.Mul(x, op.Tanh(op.Log(op.Add(op.Exp(x), 1)))))
def mish(g: Graph, x: Value) -> Value:
    """Return x · tanh(softplus(x)), NaN at -Inf."""
    return known_mish(g, x)
