"""TensorFlow's reductions. Axes are looked up in the file's order; what keeps its axes keeps its layout.

ONNX Runtime's maximum and minimum drop NaN unless it comes first. The sum of squares tells whether there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import joined, wide
from exporter.formats.onnx.builder.static import known_int, known_ints
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.joining import concatenated, split_into
from exporter.formats.onnx.lowerings.array.reshaping import squeezed
from exporter.formats.onnx.registry import lowers_op

SIMPLE = {"Sum": "ReduceSum", "Prod": "ReduceProd", "EuclideanNorm": "ReduceL2"}


def reduced(g: Graph, kind: str, x: Value, axes: Sequence[int], keepdims: bool) -> Value:
    """Write a reduction of ONNX over Keras's `axes` (all that are given, none for none)."""
    axes = sorted({axis % x.rank for axis in axes})
    if not axes:
        return x
    places = g.constant(sorted(x.axis(axis) for axis in axes), np.int64)
    if keepdims:
        shape = tuple(1 if axis in axes else d for axis, d in enumerate(x.shape))
        return g.raw(kind, x, places, shape=shape, dtype=x.dtype, order=x.order, keepdims=1)
    kept = [axis for axis in range(x.rank) if axis not in axes]
    order = tuple(kept.index(axis) for axis in x.order if axis in kept)
    shape = tuple(x.shape[axis] for axis in kept)
    return g.raw(kind, x, places, shape=shape, dtype=x.dtype, order=order, keepdims=0)


def _arguments(op: Any, x: Value, axes: Value) -> tuple[list[int], bool]:
    return known_ints(axes, "the axes of a reduction"), bool(op.get_attr("keep_dims"))


@lowers_op(*SIMPLE)
def reduction(g: Graph, op: Any, x: Value, axes: Value) -> Value:
    """Sum, product, Euclidean norm. Integers wrap, where ONNX Runtime's sums and products stop at the largest."""
    places, keepdims = _arguments(op, x, axes)
    if x.dtype == ir.DataType.INT32 and op.type != "EuclideanNorm":
        if g.is_size(x):
            return reduced(g, SIMPLE[op.type], wide(g, x), places, keepdims)
        return _wrapping(g, op.type, x, places, keepdims)
    if op.inputs[0].dtype.name == "int64" and op.type != "EuclideanNorm":
        return _wrapping(g, op.type, x, places, keepdims)
    return reduced(g, SIMPLE[op.type], x, places, keepdims)


def _wrapping(g: Graph, kind: str, x: Value, axes: Sequence[int], keepdims: bool) -> Value:
    """Sum as int64, whose low half is what int32 holds; multiply halves of an axis of fixed length until one is left."""
    if kind == "Sum":
        if x.dtype == ir.DataType.INT64:
            return _long_sum(g, x, axes, keepdims)
        return g.cast(reduced(g, "ReduceSum", wide(g, x), axes, keepdims), x.dtype)
    for axis in axes:
        x = _product(g, x, axis % x.rank)
    return x if keepdims else squeezed(g, x, sorted(axis % x.rank for axis in axes))


def _long_sum(g: Graph, x: Value, axes: Sequence[int], keepdims: bool) -> Value:
    """Sum the lower and the upper 32 bits apart: ONNX Runtime 1.32 adds int64 as float64, which holds 53 bits."""
    half = g.constant(2**32, np.int64)
    lower = g.elementwise("Mod", x, half)
    upper = g.elementwise("Div", g.elementwise("Sub", x, lower), half)
    low, high = (reduced(g, "ReduceSum", part, axes, keepdims) for part in (lower, upper))
    return g.elementwise("Add", g.elementwise("Mul", high, half), low)


def _product(g: Graph, x: Value, axis: int) -> Value:
    length = x.shape[axis]
    if length is None or length == 0:
        return reduced(g, "ReduceProd", x, [axis], True)
    while length > 1:
        half = length // 2
        first, second, *rest = split_into(g, x, axis, [half, half, *[1] * (length % 2)])
        x = g.elementwise("Mul", first, second)
        if rest:
            x = concatenated(g, [x, rest[0]], axis, (*x.shape[:axis], half + 1, *x.shape[axis + 1 :]))
        length = half + length % 2
    return x


@lowers_op("Mean")
def mean(g: Graph, op: Any, x: Value, axes: Value) -> Value:
    """The mean; of nothing it is NaN, where ONNX Runtime has 0, so that over dynamic axes the sum is divided."""
    return averaged(g, x, *_arguments(op, x, axes))


def averaged(g: Graph, x: Value, axes: Sequence[int], keepdims: bool) -> Value:
    """Return the mean over Keras's `axes`."""
    sizes = [x.shape[axis] for axis in axes]
    if x.is_float and None not in sizes and 0 not in sizes:
        return reduced(g, "ReduceMean", x, axes, keepdims)
    total = reduced(g, "ReduceSum", x, axes, keepdims)
    if not axes:
        return total
    sizes_of_axes = joined(g, [g.dimension(x, axis) for axis in axes])
    count = g.op("ReduceProd", sizes_of_axes, g.constant([0], np.int64), shape=(), dtype=ir.DataType.INT64, keepdims=0)
    return g.elementwise("Div", total, g.cast(count, x.dtype))


@lowers_op("Max", "Min")
def extremum(g: Graph, op: Any, x: Value, axes: Value) -> Value:
    """The largest or smallest element; NaN if there is one."""
    return extreme(g, f"Reduce{op.type}", x, *_arguments(op, x, axes))


def extreme(g: Graph, kind: str, x: Value, axes: Sequence[int], keepdims: bool) -> Value:
    """Write ReduceMax or ReduceMin over Keras's `axes`, so that NaN is passed on."""
    result = reduced(g, kind, x, axes, keepdims)
    if not x.is_float or not axes:
        return result
    squares = reduced(g, "ReduceSumSquare", x, axes, keepdims)
    return g.elementwise("Where", g.elementwise("IsNaN", squares), squares, result, dtype=x.dtype)


@lowers_op("All", "Any")
def quantified(g: Graph, op: Any, x: Value, axes: Value) -> Value:
    """Whether no element is false; whether the number of true ones is above 0."""
    places, keepdims = _arguments(op, x, axes)
    if not places:
        return x
    counted = g.elementwise("Not", x) if op.type == "All" else x
    count = reduced(g, "ReduceSum", g.cast(counted, ir.DataType.INT32), places, keepdims)
    zero = g.constant(0, np.int32)
    return g.elementwise("Equal" if op.type == "All" else "Greater", count, zero)


@lowers_op("ArgMax", "ArgMin")
def arg_extremum(g: Graph, op: Any, x: Value, axis: Value) -> Value:
    """Where the extremum stands first, as int64; NaN is passed over, as TensorFlow does."""
    return arg_extreme(g, op.type, x, known_int(axis, "the axis of argmax") % x.rank)


def arg_extreme(g: Graph, kind: str, x: Value, axis: int) -> Value:
    """Write ArgMax or ArgMin along Keras's `axis`, which is dropped."""
    if x.is_float:
        last = g.constant(-np.inf if kind == "ArgMax" else np.inf, x.numpy_dtype)
        x = g.elementwise("Where", g.elementwise("IsNaN", x), last, x, dtype=x.dtype)
    shape = tuple(1 if a == axis else d for a, d in enumerate(x.shape))
    places = g.raw(kind, x, shape=shape, dtype=ir.DataType.INT64, order=x.order, axis=x.axis(axis), keepdims=1)
    return squeezed(g, places, [axis])
