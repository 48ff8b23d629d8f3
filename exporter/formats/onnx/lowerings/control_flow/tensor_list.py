"""TensorFlow's lists of tensors, which its loops read from and write to. ONNX sees none of them.

A list is `Rows` of a tensor, or `Items` at places known while exporting. Inside a loop that writes it at places that only the
model knows it is `Collected`: it is written once a turn, and the loop stacks what is written (`loop.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import element, joined, vector, wide
from exporter.formats.onnx.builder.value import Constant, Shape, Value
from exporter.formats.onnx.lowerings.array.joining import concatenated
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import indexed
from exporter.formats.onnx.lowerings.math.casting import held_as
from exporter.formats.onnx.registry import lowers_op


@dataclass(frozen=True)
class Rows:
    """The rows of a tensor: its first axis is the place in the list."""

    value: Value


@dataclass(frozen=True)
class Items:
    """Tensors at places known while exporting; other places hold zeros.

    Args:
        size: the number of places, an integer scalar.
        at: the tensors.
        shape: of each of them, as far as the list says it.
        dtype: of each of them, one of TensorFlow's.
    """

    size: Value
    at: Mapping[int, Value]
    shape: Shape | None = None
    dtype: Any = None


@dataclass(frozen=True)
class Collected:
    """A list that a loop writes at places that depend on the turn.

    Args:
        before: what it was before the loop.
        grows: whether writing behind its end makes room.
        index: where this turn wrote, as TensorFlow's tensor and as a value; None while it has not.
        item: what it wrote.
    """

    before: Items
    grows: bool = False
    index: tuple[Any, Value] | None = None
    item: Value | None = None


List = Rows | Items | Collected
UNKNOWN = (
    "a list of tensors whose shape is not known when a loop starts that reads it or writes anywhere in it; "
    "give tf.TensorArray an element_shape without None, or write its first tensor before the loop"
)


@lowers_op("TensorListFromTensor")
def from_tensor(g: Graph, op: Any, x: Value, shape: Value) -> Rows:
    """The rows of a tensor."""
    return Rows(x)


@lowers_op("TensorListReserve")
def reserve(g: Graph, op: Any, shape: Value, size: Value) -> Items:
    """Room for tensors."""
    known = shape.array.tolist() if isinstance(shape, Constant) and shape.rank else None
    fixed = None if known is None else tuple(None if d < 0 else d for d in known)
    return Items(size, {}, fixed, op.get_attr("element_dtype"))


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
        return replace(held, index=(op.inputs[1], index), item=item)
    if isinstance(held, Rows):
        return Rows(_with_row(g, held.value, index, item))
    if not isinstance(index, Constant):
        raise NotImplementedError("a list that is written outside a loop at a place that depends on the model's inputs")
    place, size = int(index.array), held.size
    if isinstance(size, Constant) and place >= int(size.array):
        size = g.constant(place + 1, np.int32)
    return replace(held, size=size, at={**held.at, place: item})


def _with_row(g: Graph, rows: Value, index: Value, item: Value) -> Value:
    places = unsqueezed(g, vector(g, wide(g, index)), 1)
    return g.op("ScatterND", rows, places, unsqueezed(g, g.keras_order(item), 0), shape=rows.shape, dtype=rows.dtype)


@lowers_op("TensorListGetItem")
def get_item(g: Graph, op: Any, held: List, index: Value, shape: Value) -> Value:
    """The tensor at a place."""
    if isinstance(held, Rows):
        return indexed(g, held.value, 0, index)
    if isinstance(held, Items) and isinstance(index, Constant) and int(index.array) in held.at:
        return held.at[int(index.array)]
    return indexed(g, stacked(g, held, _element_shape(op)), 0, index)


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
    if isinstance(held, Collected):
        raise NotImplementedError("a list that is read while a loop writes it")
    if not held.at or not isinstance(held.size, Constant):
        return laid_out(g, replace(held, shape=held.shape or shape))
    size, first = int(held.size.array), next(iter(held.at.values()))
    zeros = None if len(held.at) == size else _zeros(g, first)
    items = [unsqueezed(g, g.keras_order(held.at.get(n, zeros or first)), 0) for n in range(size)]
    return concatenated(g, items, 0, (size, *first.shape))


def laid_out(g: Graph, held: Items) -> Value:
    """Return all tensors of a list of any length along a new first axis.

    Raises:
        NotImplementedError: if nothing tells the shape of the tensors before one is written.
    """
    first = next(iter(held.at.values()), None)
    if first is not None:
        shape, dtype, own = first.shape, first.dtype, [g.dimension(first, axis) for axis in range(first.rank)]
    elif held.shape is not None and None not in held.shape and held.dtype is not None:
        shape, dtype, own = held.shape, held_as(held.dtype), [g.constant(held.shape, np.int64)]
    else:
        raise NotImplementedError(UNKNOWN)
    length = int(held.size.array) if isinstance(held.size, Constant) else None
    sizes = joined(g, [vector(g, held.size), *own])
    rows = g.op("Expand", g.constant(0, dtype.numpy()), sizes, shape=(length, *shape), dtype=dtype)
    for place, item in held.at.items():
        rows = _with_row(g, rows, g.constant(place), item)
    return rows


def _zeros(g: Graph, like: Value) -> Value:
    sizes = g.raw("Shape", g.keras_order(like), shape=(like.rank,), dtype=wide(g, g.constant(0)).dtype)
    return g.op("Expand", g.constant(0, like.numpy_dtype), sizes, shape=like.shape, dtype=like.dtype)


@lowers_op("TensorListLength")
def length(g: Graph, op: Any, held: List) -> Value:
    """The number of places."""
    if isinstance(held, Rows):
        return element(g, g.dimension(held.value, 0))
    if isinstance(held, Collected) and held.grows:
        raise NotImplementedError("the length of a list that grows in a loop")
    return held.size if isinstance(held, Items) else held.before.size


@lowers_op("TensorListGather")
def gather(g: Graph, op: Any, held: List, indices: Value, shape: Value) -> Value:
    """The tensors at several places, along a new first axis."""
    rows = stacked(g, held, _element_shape(op)[1:])
    return g.op("Gather", rows, indices, shape=(indices.shape[0], *rows.shape[1:]), axis=0)
