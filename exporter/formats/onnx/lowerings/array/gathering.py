"""TensorFlow's ops that take elements by index: GatherV2, GatherNd."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import wide
from exporter.formats.onnx.builder.static import known_int
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import transposed, unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import indexed
from exporter.formats.onnx.registry import lowers_op


@lowers_op("GatherV2")
def gather(g: Graph, op: Any, x: Value, indices: Value, axis: Value) -> Value:
    """x[..., indices, ...]: Gather, or GatherND where leading axes are shared."""
    if g.is_size(x):
        x = wide(g, x)
    place = known_int(axis, "the axis of take") % x.rank
    shared = op.get_attr("batch_dims")
    shared = shared + indices.rank if shared < 0 else shared
    if shared:
        return _batched(g, x, wide(g, indices), place, shared)
    if indices.rank == 0:
        return indexed(g, x, place, indices)
    if indices.rank == 1:
        shape = (*x.shape[:place], indices.shape[0], *x.shape[place + 1 :])
        return g.raw("Gather", x, indices, shape=shape, dtype=x.dtype, order=x.order, axis=x.axis(place))
    return g.op(
        "Gather", x, indices, shape=(*x.shape[:place], *indices.shape, *x.shape[place + 1 :]), dtype=x.dtype, axis=place
    )


@lowers_op("ResourceGather")
def gather_rows(g: Graph, op: Any, table: Value, indices: Value) -> Value:
    """The rows of a variable."""
    return gather(g, op, table, indices, g.constant(op.get_attr("batch_dims"), np.int64))


def _batched(g: Graph, x: Value, indices: Value, axis: int, shared: int) -> Value:
    """Gather along `axis` for each position in the first `shared` axes: GatherND on the axis after them."""
    between = list(range(shared, axis))
    after = list(range(axis + 1, x.rank))
    moved = transposed(x, [*range(shared), axis, *between, *after])
    places = unsqueezed(g, g.keras_order(indices), indices.rank)
    shape = (*indices.shape, *(x.shape[a] for a in (*between, *after)))
    y = g.op("GatherND", moved, places, shape=shape, dtype=x.dtype, batch_dims=shared)
    if not between:
        return y
    start = indices.rank  # where the axes of `between` now stand; they belong before those of the indices
    own = range(shared, start)
    return transposed(
        y, [*range(shared), *range(start, start + len(between)), *own, *range(start + len(between), y.rank)]
    )


@lowers_op("GatherNd", "ResourceGatherNd")
def gather_nd(g: Graph, op: Any, x: Value, indices: Value) -> Value:
    """x[tuple(indices[..., :])]."""
    if not indices.shape[-1]:
        raise NotImplementedError("gather_nd by empty indices, or by some whose number is not known while exporting")
    return g.op(
        "GatherND", x, wide(g, indices), shape=(*indices.shape[:-1], *x.shape[indices.shape[-1] :]), dtype=x.dtype
    )
