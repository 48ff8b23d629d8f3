"""TensorFlow's ops that join tensors and take them apart: ConcatV2, Pack, Split, SplitV, Unpack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import joined, vector, wide
from exporter.formats.onnx.builder.static import known_int, known_ints, static_shape
from exporter.formats.onnx.builder.value import Constant, Shape, Value, broadcast_shapes, identity
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, unsqueezed
from exporter.formats.onnx.lowerings.nn.split_convolution import joined as with_parts
from exporter.formats.onnx.registry import lowers_op


@lowers_op("ConcatV2")
def concat(g: Graph, op: Any, *operands: Value) -> Value:
    """Concat, in the axis order that most of the inputs have."""
    *inputs, place = operands
    axis = known_int(place, "the axis of concatenate") % inputs[0].rank
    if _sizes(g, inputs):
        return joined(g, [wide(g, x) for x in inputs])
    return concatenated(g, inputs, axis, static_shape(op, otherwise=_beside(inputs, axis)))


def _beside(inputs: Sequence[Value], axis: int) -> Shape:
    """Return the shape of tensors joined along `axis`."""
    lengths = [x.shape[axis] for x in inputs]
    length = None if None in lengths else sum(n or 0 for n in lengths)
    return (*inputs[0].shape[:axis], length, *inputs[0].shape[axis + 1 :])


def concatenated(g: Graph, inputs: Sequence[Value], axis: int, shape: Shape) -> Value:
    """Return tensors joined along Keras's `axis`; they may lie in any order."""
    if len(inputs) == 1:
        return inputs[0]
    computed = [x.order for x in inputs if not isinstance(x, Constant)]
    order = max(computed, key=computed.count) if computed else identity(len(shape))
    laid = [g.in_order(x, order) for x in inputs]
    y = g.raw("Concat", *laid, shape=shape, dtype=inputs[0].dtype, order=order, axis=order.index(axis))
    return with_parts(y, laid, axis)


def _sizes(g: Graph, inputs: Sequence[Value]) -> bool:
    """Whether the inputs are vectors of sizes, which are better joined as int64."""
    return all(x.rank == 1 and g.is_size(x) for x in inputs)


@lowers_op("Pack")
def pack(g: Graph, op: Any, *inputs: Value) -> Value:
    """Concat of the inputs with one axis more; integers, mostly sizes, are packed as int64."""
    part = broadcast_shapes([x.shape for x in inputs])
    axis = op.get_attr("axis") % (len(part) + 1)
    wanted = (*part[:axis], len(inputs), *part[axis:])
    if len(wanted) == 1 and all(x.dtype in (ir.DataType.INT32, ir.DataType.INT64) for x in inputs):
        return joined(g, [vector(g, wide(g, x)) for x in inputs])
    return concatenated(g, [unsqueezed(g, g.keras_order(x), axis) for x in inputs], axis, wanted)


@lowers_op("Unpack")
def unpack(g: Graph, op: Any, x: Value) -> list[Value]:
    """Split, and drop the axis."""
    axis, count = op.get_attr("axis") % x.rank, op.get_attr("num")
    return [squeezed(g, part, [axis]) for part in split_into(g, x, axis, [1] * count)]


@lowers_op("Split")
def split(g: Graph, op: Any, place: Value, x: Value) -> list[Value]:
    """Split into equal parts."""
    axis, count = known_int(place, "the axis of split") % x.rank, op.get_attr("num_split")
    size = x.shape[axis]
    if size is None:
        return _split_equally(g, x, axis, count)
    return split_into(g, x, axis, [size // count] * count)


@lowers_op("SplitV")
def split_at(g: Graph, op: Any, x: Value, sizes: Value, place: Value) -> list[Value]:
    """Split into parts of given lengths, of which one may be -1: what is left."""
    axis = known_int(place, "the axis of split") % x.rank
    total = x.shape[axis]
    if not isinstance(sizes, Constant) or (total is None and -1 in known_ints(sizes, "the sizes of split")):
        return _split_as_computed(g, x, axis, wide(g, sizes), len(op.outputs))
    lengths = known_ints(sizes, "the sizes of split")
    if -1 in lengths:
        lengths = [(total or 0) - sum(lengths) - 1 if n == -1 else n for n in lengths]
    return split_into(g, x, axis, lengths)


def _split_as_computed(g: Graph, x: Value, axis: int, sizes: Value, count: int) -> list[Value]:
    """Split into `count` parts of lengths that only running tells, -1 for what is left."""
    total = g.op("ReduceSum", sizes, g.constant([0], np.int64), shape=(1,), keepdims=1)
    left = g.op("Sub", g.op("Sub", g.dimension(x, axis), total), g.constant([1], np.int64))
    lengths = g.op("Where", g.op("Equal", sizes, g.constant(-1, np.int64)), left, sizes, dtype=sizes.dtype)
    return _split(g, x, axis, [None] * count, lengths)


def split_into(g: Graph, x: Value, axis: int, lengths: Sequence[int]) -> list[Value]:
    """Return parts of `x` of these lengths along Keras's `axis`; they lie as `x` does."""
    if len(lengths) == 1:
        return [x]
    return _split(g, x, axis, list(lengths), g.constant(list(lengths), np.int64))


def _split_equally(g: Graph, x: Value, axis: int, count: int) -> list[Value]:
    """Split an axis of dynamic length, whose parts have equal length."""
    part = g.op("Div", g.dimension(x, axis), g.constant([count], np.int64), shape=(1,))
    lengths = g.op("Expand", part, g.constant([count], np.int64), shape=(count,))
    return _split(g, x, axis, [None] * count, lengths)


def _split(g: Graph, x: Value, axis: int, lengths: Sequence[int | None], given: Value) -> list[Value]:
    filed = x if isinstance(x, Constant) else x.as_filed()
    place = x.axis(axis)
    shapes = [(*filed.shape[:place], n, *filed.shape[place + 1 :]) for n in lengths]
    parts = g.ops("Split", filed, given, outputs=[(s, x.dtype) for s in shapes], axis=place)
    return [part.meant_as(x.order) for part in parts]
