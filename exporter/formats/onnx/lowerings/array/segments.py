"""TensorFlow's reductions of segments: rows with the same id become one."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import sizes_of, vector, wide
from exporter.formats.onnx.builder.static import static_shape
from exporter.formats.onnx.builder.value import Shape, Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.array.scatter import REDUCTIONS, scattered
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.registry import lowers_op


@lowers_op("UnsortedSegmentSum", "UnsortedSegmentProd", "UnsortedSegmentMax", "UnsortedSegmentMin")
def unsorted_segments(g: Graph, op: Any, data: Value, ids: Value, count: Value) -> Value:
    """Reduce the rows of each segment; rows with a negative id go into a row that is cut off."""
    kind = op.type.removeprefix("UnsortedSegment")
    return _segments(g, kind, data, wide(g, ids), wide(g, count), static_shape(op), _neutral(kind, data.numpy_dtype))


@lowers_op("SegmentSum", "SegmentProd", "SegmentMax", "SegmentMin")
def segments(g: Graph, op: Any, data: Value, ids: Value) -> Value:
    """Reduce the rows of each segment, of which there are as many as the last id says."""
    kind, places = op.type.removeprefix("Segment"), wide(g, ids)
    initial = _neutral(kind, data.numpy_dtype)
    if kind in ("Max", "Min") and data.dtype.is_floating_point():
        initial = -np.inf if kind == "Max" else np.inf
    count = _count(g, places)
    reduced = _segments(g, kind, data, places, count, static_shape(op), initial)
    if kind == "Sum":
        return reduced
    absent = g.op("Equal", _rows_in(g, places, count, data.rank), g.constant(0, np.int64))
    empty = g.constant(1 if kind == "Prod" else 0, data.numpy_dtype)
    return g.op("Where", absent, empty, reduced, dtype=data.dtype)


def _count(g: Graph, places: Value) -> Value:
    """Return the last id and 1, 0 if there is none."""
    ids = g.op("Concat", g.constant([-1], np.int64), places, shape=(None,), axis=0)
    return g.op("Add", g.op("ReduceMax", ids, shape=(), keepdims=0), g.constant(1, np.int64))


def _rows_in(g: Graph, places: Value, count: Value, rank: int) -> Value:
    """Return how many rows each segment has, with as many axes as the rows."""
    ones = g.op("Expand", g.constant(1, np.int64), sizes_of(g, places), shape=places.shape)
    rows = _segments(g, "Sum", ones, places, count, (None,), 0)
    for axis in range(1, rank):
        rows = unsqueezed(g, rows, axis)
    return rows


@lowers_op("SegmentMean")
def segment_mean(g: Graph, op: Any, data: Value, ids: Value) -> Value:
    """The mean of the rows of each segment, 0 for a segment without any."""
    places = wide(g, ids)
    return _averaged(g, op, data, places, _count(g, places))


def _averaged(g: Graph, op: Any, data: Value, places: Value, count: Value) -> Value:
    """Divide the sum of each segment by the number of its rows, or by the root of that."""
    total = _segments(g, "Sum", data, places, count, static_shape(op), 0)
    rows = g.op("Max", _rows_in(g, places, count, data.rank), g.constant(1, np.int64))
    number = g.cast(rows, data.dtype)
    return g.op("Div", total, g.op("Sqrt", number) if "Sqrt" in op.type else number)


SPARSE = ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN")


@lowers_op(*SPARSE, *(f"{kind}WithNumSegments" for kind in SPARSE))
def sparse_segments(g: Graph, op: Any, data: Value, rows: Value, ids: Value, number: Value | None = None) -> Value:
    """Sum, or average, chosen rows of each segment."""
    x, places = g.keras_order(data), wide(g, ids)
    chosen = g.op("Gather", x, wide(g, rows), shape=(rows.shape[0], *x.shape[1:]), dtype=x.dtype, axis=0)
    count = _count(g, places) if number is None else wide(g, number)
    if op.type.startswith("SparseSegmentSum"):
        return _segments(g, "Sum", chosen, places, count, static_shape(op), 0)
    return _averaged(g, op, chosen, places, count)


@lowers_op("SegmentSumV2", "SegmentProdV2", "SegmentMaxV2", "SegmentMinV2")
def counted_segments(g: Graph, op: Any, data: Value, ids: Value, count: Value) -> Value:
    """Reduce the rows of each of `count` segments."""
    kind = op.type.removeprefix("Segment").removesuffix("V2")
    return _segments(g, kind, data, wide(g, ids), wide(g, count), static_shape(op), _neutral(kind, data.numpy_dtype))


def _neutral(kind: str, dtype: np.dtype[Any]) -> Any:
    """Return what a segment without rows holds."""
    if kind in ("Sum", "Prod"):
        return {"Sum": 0, "Prod": 1}[kind]
    info: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return info.min if kind == "Max" else info.max


def _segments(g: Graph, kind: str, data: Value, ids: Value, count: Value, shape: Shape, initial: Any) -> Value:
    places = g.op("Where", g.op("Less", ids, g.constant(0, np.int64)), count, ids, dtype=ids.dtype)
    rows = g.op("Add", vector(g, count), g.constant([1], np.int64))
    tail = [g.dimension(data, axis) for axis in range(ids.rank, data.rank)]
    sizes = g.op("Concat", rows, *tail, shape=(1 + len(tail),), axis=0) if tail else rows
    whole = (None if shape[0] is None else shape[0] + 1, *shape[1:])
    start = g.op("Expand", g.constant(initial, data.numpy_dtype), sizes, shape=whole, dtype=data.dtype)
    full = scattered(g, start, unsqueezed(g, g.keras_order(places), ids.rank), g.keras_order(data), REDUCTIONS[kind])
    kept = sliced(g, full, [Range(0, 0, -1)])
    kept.shape = shape
    return kept
