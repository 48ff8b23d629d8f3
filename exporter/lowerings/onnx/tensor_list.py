"""TensorFlow's lists of tensors, which its loops read from and write to. ONNX sees none of them.

A list is `Rows` of a tensor, or `Items` at places known while exporting. Inside a loop that writes it at places that only the
model knows it is `Collected`: it is written once a turn, and the loop stacks what is written (`loop.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.joining import concatenated
from exporter.lowerings.onnx.registry import lowers_op
from exporter.lowerings.onnx.reshaping import unsqueezed
from exporter.lowerings.onnx.sizes import element, vector, wide
from exporter.lowerings.onnx.slicing import indexed
from exporter.lowerings.onnx.value import Constant, Shape, Value


@dataclass(frozen=True)
class Rows:
    """The rows of a tensor: its first axis is the place in the list."""

    value: Value


@dataclass(frozen=True)
class Items:
    """Tensors at places known while exporting; other places hold zeros. The size is an integer scalar."""

    size: Value
    at: Mapping[int, Value]


@dataclass(frozen=True)
class Collected:
    """A list that a loop writes at places that depend on the turn.

    Args:
        before: what it was before the loop.
        index: where this turn wrote, as TensorFlow's tensor and as a value; None while it has not.
        item: what it wrote.
    """

    before: Items
    index: tuple[Any, Value] | None = None
    item: Value | None = None


List = Rows | Items | Collected


@lowers_op("TensorListFromTensor")
def from_tensor(g: Graph, op: Any, x: Value, shape: Value) -> Rows:
    """The rows of a tensor."""
    return Rows(x)


@lowers_op("TensorListReserve")
def reserve(g: Graph, op: Any, shape: Value, size: Value) -> Items:
    """Room for tensors."""
    return Items(size, {})


@lowers_op("EmptyTensorList")
def empty(g: Graph, op: Any, shape: Value, size: Value) -> Items:
    """A list that grows."""
    return Items(g.constant(0, np.int32), {})


@lowers_op("TensorListPushBack")
def push(g: Graph, op: Any, held: List, item: Value) -> Items:
    """Append."""
    if not isinstance(held, Items) or not isinstance(held.size, Constant):
        raise NotImplementedError("a list of tensors that grows inside a loop")
    place = int(held.size.array)
    return Items(g.constant(place + 1, np.int32), {**held.at, place: item})


@lowers_op("TensorListSetItem")
def set_item(g: Graph, op: Any, held: List, index: Value, item: Value) -> List:
    """Put a tensor at a place."""
    if isinstance(held, Collected):
        if held.item is not None:
            raise NotImplementedError("a list that is written more than once in each turn of a loop")
        return replace(held, index=(op.inputs[1], index), item=item)
    if isinstance(held, Rows):
        return Rows(_with_row(g, held.value, index, item))
    if not isinstance(index, Constant):
        raise NotImplementedError("a list that is written outside a loop at a place that depends on the model's inputs")
    place, size = int(index.array), held.size
    if isinstance(size, Constant) and place >= int(size.array):
        size = g.constant(place + 1, np.int32)
    return Items(size, {**held.at, place: item})


def _with_row(g: Graph, rows: Value, index: Value, item: Value) -> Value:
    places = unsqueezed(g, vector(g, wide(g, index)), 1)
    return g.op("ScatterND", rows, places, unsqueezed(g, g.keras_order(item), 0), shape=rows.shape, dtype=rows.dtype)


@lowers_op("TensorListGetItem")
def get_item(g: Graph, op: Any, held: List, index: Value, shape: Value) -> Value:
    """The tensor at a place."""
    if isinstance(held, Rows):
        return indexed(g, held.value, 0, index)
    if isinstance(held, Items):
        if isinstance(index, Constant) and int(index.array) in held.at:
            return held.at[int(index.array)]
        return indexed(g, stacked(g, held, _element_shape(op)), 0, index)
    raise NotImplementedError("a list that is read while a loop writes it")


def _element_shape(op: Any) -> Shape:
    shape = op.outputs[0].shape
    if shape.rank is None:
        raise NotImplementedError("a list of tensors whose number of axes is not known while exporting")
    return tuple(shape.as_list())


@lowers_op("TensorListStack")
def stack(g: Graph, op: Any, held: List, shape: Value) -> Value:
    """All tensors, along a new first axis."""
    return stacked(g, held, _element_shape(op)[1:])


def stacked(g: Graph, held: List, shape: Shape) -> Value:
    """Return all tensors of a list, of this `shape`, along a new first axis."""
    if isinstance(held, Rows):
        return held.value
    if not isinstance(held, Items) or not held.at or not isinstance(held.size, Constant):
        raise NotImplementedError("a list of tensors that was never written, or of dynamic length")
    size, first = int(held.size.array), next(iter(held.at.values()))
    zeros = None if len(held.at) == size else _zeros(g, first)
    items = [unsqueezed(g, g.keras_order(held.at.get(n, zeros or first)), 0) for n in range(size)]
    return concatenated(g, items, 0, (size, *first.shape))


def _zeros(g: Graph, like: Value) -> Value:
    sizes = g.raw("Shape", g.keras_order(like), shape=(like.rank,), dtype=wide(g, g.constant(0)).dtype)
    return g.op("Expand", g.constant(0, like.numpy_dtype), sizes, shape=like.shape, dtype=like.dtype)


@lowers_op("TensorListLength")
def length(g: Graph, op: Any, held: List) -> Value:
    """The number of places."""
    if isinstance(held, Rows):
        return element(g, g.dimension(held.value, 0))
    return held.size if isinstance(held, Items) else held.before.size


@lowers_op("TensorListGather")
def gather(g: Graph, op: Any, held: List, indices: Value, shape: Value) -> Value:
    """The tensors at several places, along a new first axis."""
    rows = stacked(g, held, _element_shape(op)[1:])
    return g.op("Gather", rows, indices, shape=(indices.shape[0], *rows.shape[1:]), axis=0)
