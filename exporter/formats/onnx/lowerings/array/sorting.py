"""TensorFlow's ops that order elements, find them or tell them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import vector, wide
from exporter.formats.onnx.builder.static import static_shape
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import transposed, unsqueezed
from exporter.formats.onnx.lowerings.math.elementwise import is_finite
from exporter.formats.onnx.lowerings.math.reduction import reduced
from exporter.formats.onnx.registry import lowers_op

INT64 = ir.DataType.INT64


@lowers_op("TopKV2")
def top_k(g: Graph, op: Any, x: Value, k: Value) -> list[Value]:
    """TopK along the last axis; of equal elements the first, in both."""
    outputs = [(static_shape(op), x.dtype), (static_shape(op), INT64)]
    return g.ops("TopK", x, vector(g, wide(g, k)), outputs=outputs, axis=-1, sorted=1)


@lowers_op("InTopKV2", "InTopK")
def in_top_k(g: Graph, op: Any, predictions: Value, targets: Value, k: Value) -> Value:
    """Whether fewer than k predictions exceed that for the target; not if one is not finite or there is no such class."""
    classes = predictions.shape[1]
    if classes is None:
        raise NotImplementedError("in_top_k needs the number of classes while exporting")
    places = wide(g, targets)
    last = g.constant(max(classes - 1, 0), np.int64)
    inside = g.op("Equal", places, g.op("Clip", places, g.constant(0, np.int64), last))
    chosen = unsqueezed(g, g.op("Where", inside, places, g.constant(0, np.int64), dtype=INT64), 1)
    own = g.op("GatherElements", predictions, chosen, shape=(predictions.shape[0], 1), axis=1)
    above = g.cast(g.elementwise("Greater", predictions, own), ir.DataType.INT32)
    fewer = g.elementwise("Less", wide(g, reduced(g, "ReduceSum", above, [1], False)), wide(g, k))
    strange = g.cast(g.elementwise("Not", is_finite(g, op, predictions)), ir.DataType.INT32)
    finite = g.elementwise("Equal", reduced(g, "ReduceSum", strange, [1], False), g.constant(0, np.int32))
    return g.elementwise("And", g.elementwise("And", fewer, finite), inside)


@lowers_op("Unique", "UniqueWithCounts")
def unique(g: Graph, op: Any, x: Value) -> list[Value]:
    """The different elements in the order of their first occurrence, and which of them each element is."""
    outputs = [((None,), x.dtype), ((None,), INT64), (x.shape, INT64), ((None,), INT64)]
    values, _, places, counts = g.ops("Unique", x, outputs=outputs, sorted=0)
    return [values, places, counts] if op.type == "UniqueWithCounts" else [values, places]


@lowers_op("Where")
def non_zero(g: Graph, op: Any, x: Value) -> Value:
    """The indices of what is not zero, a row each."""
    if x.dtype != ir.DataType.BOOL:
        x = g.op("Not", g.op("Equal", x, g.constant(0, x.numpy_dtype)))
    return transposed(g.op("NonZero", x, shape=(x.rank, None), dtype=INT64), [1, 0])


@lowers_op("LowerBound", "UpperBound")
def bound(g: Graph, op: Any, rows: Value, values: Value) -> Value:
    """How many elements of a sorted row lie below a value; how many do not exceed it."""
    kind = "Less" if op.type == "LowerBound" else "LessOrEqual"
    below = g.elementwise(kind, unsqueezed(g, rows, 1), unsqueezed(g, values, 2))
    return reduced(g, "ReduceSum", g.cast(below, ir.DataType.INT32), [2], False)


@lowers_op("ListDiff")
def list_difference(g: Graph, op: Any, x: Value, y: Value) -> list[Value]:
    """The elements of `x` that are not in `y`, and where they stand in `x`."""
    found = g.cast(g.op("Equal", unsqueezed(g, x, 1), unsqueezed(g, y, 0)), ir.DataType.INT32)
    missing = g.op("Equal", reduced(g, "ReduceSum", found, [1], False), g.constant(0, np.int32))
    places = g.op("NonZero", missing, shape=(1, None), dtype=INT64)
    flat = g.op("Reshape", places, g.constant([-1], np.int64), shape=(None,))
    return [g.op("Gather", x, flat, shape=(None,), axis=0), flat]


@lowers_op("DenseBincount")
def count_each(g: Graph, op: Any, x: Value, size: Value, weights: Value) -> Value:
    """How often each number below `size` occurs, or the sum of its weights; what is larger is left out."""
    numbers = g.op("Range", g.constant(0, np.int64), wide(g, size), g.constant(1, np.int64), shape=(None,))
    hits = g.op("Equal", unsqueezed(g, wide(g, x), x.rank), numbers)
    if op.get_attr("binary_output"):
        found = reduced(g, "ReduceSum", g.cast(hits, ir.DataType.INT32), [x.rank - 1], False)
        return g.cast(g.elementwise("Greater", found, g.constant(0, np.int32)), weights.dtype)
    counted = g.cast(hits, weights.dtype)
    if weights.shape != (0,):
        counted = g.elementwise(
            "Where", hits, unsqueezed(g, weights, x.rank), g.constant(0, weights.numpy_dtype), dtype=weights.dtype
        )
    return reduced(g, "ReduceSum", counted, [x.rank - 1], False)
