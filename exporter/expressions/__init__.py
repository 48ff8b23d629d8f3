"""Functions of `keras.ops` as data: traced once, stored as a graph of operation names, run without the function."""

from __future__ import annotations

from exporter.expressions.encoding import decode, encode
from exporter.expressions.graph import ComputeDtype, Constant, Graph, Input, InputSpec, Node, Result
from exporter.expressions.refusal import Refusal
from exporter.expressions.tracing import trace

__all__ = [
    "ComputeDtype",
    "Constant",
    "Graph",
    "Input",
    "InputSpec",
    "Node",
    "Refusal",
    "Result",
    "decode",
    "encode",
    "trace",
]
