"""RaggedTensor.to_tensor: the rows of a ragged tensor, filled up to the longest one."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, count_to, index, rows_at, size_of
from exporter.formats.onnx.builder.sizes import joined, sizes_of, wide
from exporter.formats.onnx.builder.static import known_ints
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.array.scatter import scattered
from exporter.formats.onnx.registry import lowers_op


@lowers_op("RaggedTensorToTensor")
def to_tensor(g: Graph, op: Any, shape: Value, values: Value, default: Value, *partitions: Value) -> Value:
    """Gather the value at each place of the result; behind the end of a row stands the default.

    Each ragged axis gives, for places within it, the row of the next axis: its start and the place, if the row is so long.
    """
    kinds = [kind.decode() for kind in op.get_attr("row_partition_types")]
    if kinds[0] == "FIRST_DIM_SIZE" and set(kinds[1:]) == {"VALUE_ROWIDS"}:
        partitions = _splits_of(g, *partitions)
    elif set(kinds) != {"ROW_SPLITS"}:
        raise NotImplementedError(f"a ragged tensor whose partitions are {', '.join(kinds)}")
    if (sizes := known_ints(shape, "the shape of to_tensor")) and shape.rank and sizes[0] >= 0:
        raise NotImplementedError("to_tensor with a number of rows; leave the first dimension of its shape None")
    rows = count_to(g, size_of(g, partitions[0], 0) - 1)
    inside = index(g, -1) < rows
    for axis, splits in enumerate(partitions, 1):
        rows, within = _within(g, rows, splits, _asked(g, shape, axis))
        inside = inside.column() & within
    count = size_of(g, values, 0)
    flat = _with_default(g, values, default)
    return rows_at(g, flat, inside.where(rows, count), 0)


def _splits_of(g: Graph, first: Value, *ids: Value) -> tuple[Value, ...]:
    """Return where rows start and end of the row that each value is in; there are as many rows as values one axis before."""
    splits, count = [], index(g, first)
    for rows in ids:
        places = wide(g, rows)
        zeros = g.op("Expand", g.constant(0, np.int64), count.vector(), shape=(None,))
        ones = g.op("Expand", g.constant(1, np.int64), sizes_of(g, places), shape=places.shape)
        lengths = scattered(g, zeros, unsqueezed(g, places, 1), ones, "add")
        ends = g.op("CumSum", lengths, g.constant(0, np.int64), shape=(None,))
        splits.append(g.op("Concat", g.constant([0], np.int64), ends, shape=(None,), axis=0))
        count = size_of(g, places, 0)
    return tuple(splits)


def _within(g: Graph, rows: Index, splits: Value, asked: Index | None) -> tuple[Index, Index]:
    """Return, with a new last axis, the row of the next axis at each place, and whether there is one.

    Rows that are not there have been given any number; the splits are read at the first one for them.
    """
    bounds = index(g, splits)
    last = size_of(g, splits, 0) - 2
    safe = rows.at_most(last).at_least(0)
    starts, stops = (Index(g, rows_at(g, bounds.value, place, 0)) for place in (safe, safe + 1))
    longest = _longest(g, bounds) if asked is None else asked
    place = count_to(g, longest)
    found = starts.column() + place
    return found, found < stops.column()


def _longest(g: Graph, bounds: Index) -> Index:
    """Return the length of the longest row, 0 if there is none."""
    one, zero = g.constant([1], np.int64), g.constant([0], np.int64)
    end = g.constant([np.iinfo(np.int64).max], np.int64)
    lengths = g.op(
        "Sub",
        g.op("Slice", bounds.value, one, end, zero, shape=(None,)),
        g.op("Slice", bounds.value, zero, g.constant([-1], np.int64), zero, shape=(None,)),
        shape=(None,),
    )
    both = g.op("Concat", zero, lengths, shape=(None,), axis=0)
    return Index(g, g.op("ReduceMax", both, zero, shape=(), keepdims=0))


def _asked(g: Graph, shape: Value, axis: int) -> Index | None:
    """Return the size that the caller wants along an axis, None if the longest row decides."""
    sizes = known_ints(shape, "the shape of to_tensor")
    return index(g, sizes[axis]) if axis < len(sizes) and sizes[axis] >= 0 else None


def _with_default(g: Graph, values: Value, default: Value) -> Value:
    """Return the values and, behind them, a row of the default."""
    x = g.keras_order(values)
    sizes = joined(g, [g.constant([1], np.int64), *(g.dimension(x, axis) for axis in range(1, x.rank))])
    row = g.op("Expand", default, sizes, shape=(1, *x.shape[1:]), dtype=x.dtype)
    return g.op("Concat", x, row, shape=(None, *x.shape[1:]), axis=0)
