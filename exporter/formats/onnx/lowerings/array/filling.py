"""TensorFlow's ops that repeat elements or make them: BroadcastTo, Tile, Fill, ZerosLike, OnesLike, Empty, Range."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import Sizes, filled, wide
from exporter.formats.onnx.builder.static import static_shape
from exporter.formats.onnx.builder.value import Constant, Shape, Value
from exporter.formats.onnx.registry import lowers_op


@lowers_op("BroadcastTo")
def broadcast_to(g: Graph, op: Any, x: Value, target: Value) -> Value:
    """Expand."""
    return _expanded(g, x, wide(g, target), _shape(op, target))


@lowers_op("Fill")
def fill(g: Graph, op: Any, target: Value, value: Value) -> Value:
    """Expand a scalar."""
    return _expanded(g, value, wide(g, target), _shape(op, target))


def _shape(op: Any, target: Value) -> Shape:
    count = target.shape[0]
    return static_shape(op, otherwise=None if count is None else (None,) * count)


def _expanded(g: Graph, x: Value, target: Value, shape: Shape) -> Value:
    if shape == x.shape and None not in shape:
        return x
    if x.rank == 0 and isinstance(target, Sizes):
        return filled(g, x, target.of)
    return g.op("Expand", x, target, shape=shape, dtype=x.dtype)


@lowers_op("ZerosLike")
def zeros_like(g: Graph, op: Any, x: Value) -> Value:
    """Zeros in the shape of a tensor."""
    return _repeated(g, 0, x)


@lowers_op("OnesLike")
def ones_like(g: Graph, op: Any, x: Value) -> Value:
    """Ones in the shape of a tensor."""
    return _repeated(g, 1, x)


def _repeated(g: Graph, number: int, x: Value) -> Value:
    if x.dtype == ir.DataType.STRING:
        raise NotImplementedError("there are no zeros or ones among strings")
    return filled(g, g.constant(number, x.numpy_dtype), x)


@lowers_op("Empty")
def empty(g: Graph, op: Any, target: Value) -> Value:
    """Zeros, as TensorFlow mostly gives them."""
    import tensorflow as tf

    dtype = op.get_attr("dtype")
    if dtype == tf.string:
        raise NotImplementedError("ONNX cannot make strings")
    zero = g.constant(0, np.float32 if dtype in (tf.float16, tf.bfloat16) else dtype.as_numpy_dtype)
    return _expanded(g, zero, wide(g, target), _shape(op, target))


@lowers_op("Range")
def span(g: Graph, op: Any, start: Value, limit: Value, step: Value) -> Value:
    """Range; sizes are counted as int64."""
    parts = [start, limit, step]
    if all(g.is_size(part) for part in parts):
        parts = [wide(g, part) for part in parts]
    return g.op("Range", *parts, shape=static_shape(op), dtype=parts[0].dtype)


@lowers_op("Tile")
def tile(g: Graph, op: Any, x: Value, multiples: Value) -> Value:
    """Tile, wherever the axes lie in the file."""
    if not isinstance(multiples, Constant):
        return g.op("Tile", x, wide(g, multiples), shape=(None,) * x.rank, dtype=x.dtype)
    counts = [int(n) for n in multiples.array]
    if set(counts) <= {1}:
        return x
    shape = tuple(None if d is None else d * n for d, n in zip(x.shape, counts, strict=True))
    repeats = g.constant([counts[axis] for axis in x.order], np.int64)
    return g.raw("Tile", x, repeats, shape=shape, dtype=x.dtype, order=x.order)
