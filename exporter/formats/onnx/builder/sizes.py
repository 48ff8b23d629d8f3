"""Sizes of tensors, as numbers that a model computes with: TensorFlow's scalars, ONNX's vectors of one element.

Sizes are int64 in ONNX. `Sizes` and `Element` remember where they come from, so that slicing a shape and packing the
parts into another one, which is what reshaping looks like in TensorFlow's graphs, leaves few nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value


@dataclass(eq=False)
class Sizes(Value):
    """The shape of the tensor `of`, in Keras's axis order: an int64 vector."""

    of: Value = field(kw_only=True)


@dataclass(eq=False)
class Element(Value):
    """A scalar that is at hand as `vector`, of one element, too."""

    vector: Value = field(kw_only=True)


@dataclass(eq=False)
class Filled(Value):
    """`scalar` repeated in the shape of the tensor `like`."""

    scalar: Value = field(kw_only=True)
    like: Value = field(kw_only=True)


def wide(g: Graph, value: Value) -> Value:
    """Return integers as int64."""
    return g.cast(value, ir.DataType.INT64)


def sizes_of(g: Graph, x: Value) -> Value:
    """Return the shape of `x` as an int64 vector: a constant where all dimensions are fixed."""
    if None not in x.shape:
        return g.constant(np.array(x.shape, np.int64))
    shape = g.raw("Shape", x, shape=(x.rank,), dtype=ir.DataType.INT64)
    if not x.in_keras_order:
        places = g.constant([x.axis(axis) for axis in range(x.rank)], np.int64)
        shape = g.op("Gather", shape, places, shape=(x.rank,), axis=0)
    return Sizes(shape.ir, shape.shape, shape.dtype, shape.order, of=x)


def element(g: Graph, vector: Value) -> Value:
    """Return the scalar in a vector of one element."""
    if isinstance(vector, Constant):
        return vector.reshape()
    scalar = g.op("Squeeze", vector, g.constant([0], np.int64), shape=())
    return Element(scalar.ir, (), scalar.dtype, (), vector=vector)


def vector(g: Graph, scalar: Value) -> Value:
    """Return a scalar as a vector of one element."""
    if isinstance(scalar, Constant):
        return scalar.reshape(1)
    if isinstance(scalar, Element):
        return scalar.vector
    return g.op("Unsqueeze", scalar, g.constant([0], np.int64), shape=(1,))


def counted(g: Graph, x: Value, axis: int) -> Value:
    """Return 0, 1, … up to the size of `x` along Keras's `axis`, as int64."""
    size = x.shape[axis]
    if size is not None:
        return g.constant(np.arange(size, dtype=np.int64))
    zero, one = g.constant(0, np.int64), g.constant(1, np.int64)
    return g.op("Range", zero, element(g, g.dimension(x, axis)), one, shape=(None,))


def joined(g: Graph, parts: Sequence[Value]) -> Value:
    """Return int64 vectors, one after the other, as one vector."""
    parts = [wide(g, part) for part in parts]
    if all(isinstance(part, Constant) for part in parts):
        return g.constant(np.concatenate([p.array for p in parts if isinstance(p, Constant)]))
    if len(parts) == 1:
        return parts[0]
    length = None if any(p.shape[0] is None for p in parts) else sum(p.shape[0] or 0 for p in parts)
    return g.op("Concat", *parts, shape=(length,), dtype=ir.DataType.INT64, axis=0)


def filled(g: Graph, scalar: Value, like: Value) -> Value:
    """Return `scalar` repeated in the shape of `like`."""
    full = g.op("Expand", scalar, sizes_of(g, like), shape=like.shape, dtype=scalar.dtype)
    return Filled(full.ir, full.shape, full.dtype, full.order, scalar=scalar, like=like)
