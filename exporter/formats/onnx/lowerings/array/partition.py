"""DynamicPartition and DynamicStitch: rows handed out to several tensors, and put together again."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import count_to, index, shaped, size_of
from exporter.formats.onnx.builder.sizes import element
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import transposed
from exporter.formats.onnx.registry import lowers_op

INT64 = ir.DataType.INT64


@lowers_op("DynamicPartition")
def partition(g: Graph, op: Any, data: Value, numbers: Value) -> list[Value]:
    """The rows of each number, in their order."""
    x = g.keras_order(data)
    parts = []
    for number in range(op.get_attr("num_partitions")):
        here = g.op("Equal", numbers, g.constant(number, numbers.numpy_dtype))
        places = g.op("NonZero", here, shape=(numbers.rank, None), dtype=INT64)
        shape = (None, *data.shape[numbers.rank :])
        parts.append(g.op("GatherND", x, transposed(places, [1, 0]), shape=shape, dtype=x.dtype))
    return parts


@lowers_op("DynamicStitch", "ParallelDynamicStitch")
def stitch(g: Graph, op: Any, *operands: Value) -> Value:
    """The row at each place; of several for one place the last."""
    count = len(operands) // 2
    pairs = list(zip(operands[:count], operands[count:], strict=True))
    tail = pairs[0][1].shape[pairs[0][0].rank :]
    behind = [size_of(g, pairs[0][1], axis) for axis in range(pairs[0][0].rank, pairs[0][1].rank)]
    places = g.op("Concat", *(index(g, p).flat() for p, _ in pairs), shape=(None,), dtype=INT64, axis=0)
    rows = [_rows(g, p, x, behind) for p, x in pairs]
    data = g.op("Concat", *rows, shape=(None, *tail), axis=0)
    if not g.supports_opset(18):
        raise NotImplementedError(f"{op.type} needs opset 18")
    last = g.op(
        "ReduceMax", g.op("Concat", g.constant([-1], np.int64), places, shape=(None,), axis=0), shape=(), keepdims=0
    )
    size = index(g, last) + 1
    start = g.op("Expand", g.constant(0, np.int64), size.vector(), shape=(None,))
    turns = count_to(g, index(g, element(g, g.dimension(data, 0)))).value
    chosen = g.op("ScatterElements", start, places, turns, shape=(None,), axis=0, reduction="max")
    return g.op("Gather", data, chosen, shape=(None, *tail), axis=0)


def _rows(g: Graph, places: Value, x: Value, behind: list[Any]) -> Value:
    count = index(g, 1)
    for axis in range(places.rank):
        count = count * size_of(g, places, axis)
    return shaped(g, g.keras_order(x), [count, *behind])
