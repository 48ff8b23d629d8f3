"""Probabilities that the model returns keep their relative accuracy in the tails.

ONNX Runtime 1.32 approximates Sigmoid to about 1e-8 of 1, whatever the result: at 1e-7 nothing is left of it, nor of a
logarithm taken of it. Within a model that is noise; in an output it is not. There 1 / (1 + exp(-x)) is written instead,
right to the last place.
"""

from __future__ import annotations

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value


def exact_sigmoid(g: Graph, value: Value) -> Value:
    """Return `value`, computed anew as 1 / (1 + exp(-x)) if it is the Sigmoid of some x."""
    node = value.ir.producer() if value.ir is not None else None
    if node is None or node.op_type != "Sigmoid":
        return value
    x = Value(node.inputs[0], value.shape, value.dtype, value.order)
    return g.op("Reciprocal", g.op("Add", g.op("Exp", g.op("Neg", x)), 1))
