"""TensorFlow's ops that ask for shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import sizes_of, wide
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import lowers_op


@lowers_op("Shape")
def shape(g: Graph, op: Any, x: Value) -> Value:
    """The dimensions: int64 in ONNX."""
    return sizes_of(g, x)


@lowers_op("ShapeN")
def shapes(g: Graph, op: Any, *inputs: Value) -> list[Value]:
    """The dimensions of several tensors."""
    return [sizes_of(g, x) for x in inputs]


@lowers_op("Size")
def size(g: Graph, op: Any, x: Value) -> Value:
    """The number of elements."""
    return g.raw("Size", x, shape=(), dtype=ir.DataType.INT64)


@lowers_op("Rank")
def rank(g: Graph, op: Any, x: Value) -> Value:
    """The number of axes, which is always known."""
    return g.constant(x.rank, np.int32)


@lowers_op("BroadcastArgs")
def broadcast_args(g: Graph, op: Any, a: Value, b: Value) -> Value:
    """The shape that two shapes broadcast to: the size in `a`, or where that is 1, the size in `b`."""
    length = max(a.shape[0] or 0, b.shape[0] or 0)
    a, b = (_padded(g, wide(g, s), length) for s in (a, b))
    return g.op("Where", g.op("Equal", a, g.constant(1, np.int64)), b, a, dtype=a.dtype)


def _padded(g: Graph, sizes: Value, length: int) -> Value:
    missing = length - (sizes.shape[0] or 0)
    if not missing:
        return sizes
    ones = g.constant(np.ones(missing, np.int64))
    return g.op("Concat", ones, sizes, shape=(length,), axis=0)
