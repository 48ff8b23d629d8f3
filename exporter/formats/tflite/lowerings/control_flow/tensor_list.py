"""Lists of tensors outside of loops (a TensorArray in a Python loop) as the tensors themselves, which PACK puts together.

The converter's own TensorList needs to know the shape of an element when the list is made, which a TensorArray does not tell.
Lists that a loop carries, or whose places only the model knows, are left to the converter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.registry import lowers_op

READS = {"TensorListStack", "TensorListGetItem"}


@dataclass(frozen=True)
class Items:
    """A list of `size` tensors: those that were written, by place. Other places hold zeros."""

    size: int
    at: Mapping[int, Any]

    def set_shape(self, shape: Any) -> None:
        """Do nothing: a list has no shape."""

    @property
    def op(self) -> Any:
        """The op that made the last tensor."""
        return list(self.at.values())[-1].op if self.at else tf.no_op()

    def item(self, place: int) -> Any:
        """Return the tensor at `place`."""
        return self.at[place] if place in self.at else tf.zeros_like(next(iter(self.at.values())))


@lowers_op("TensorListReserve")
def reserve(op: Any, shape: Any, size: Any) -> Any:
    """Return an empty list."""
    count = constant(op.inputs[1])
    return Items(int(count), {}) if count is not None and _known(op, int(count)) else NotImplemented


@lowers_op("TensorListSetItem")
def set_item(op: Any, items: Any, place: Any, tensor: Any) -> Any:
    """Return the list with `tensor` at `place`."""
    if not isinstance(items, Items):
        return NotImplemented
    return Items(items.size, {**items.at, _place(op): tensor})


@lowers_op("TensorListGetItem")
def get_item(op: Any, items: Any, place: Any, shape: Any) -> Any:
    """Return the tensor at `place`."""
    return items.item(_place(op)) if isinstance(items, Items) else NotImplemented


@lowers_op("TensorListStack")
def stack(op: Any, items: Any, shape: Any) -> Any:
    """Return all tensors along a new first axis."""
    if not isinstance(items, Items):
        return NotImplemented
    return tf.stack([items.item(place) for place in range(items.size)])


def _known(reserve: Any, size: int) -> bool:
    """Return whether the list is written before it is read, at places below `size` that are known, and goes nowhere else."""
    handles = [reserve.outputs[0]]
    while handles:
        handle = handles.pop()
        if any(handle is output for output in getattr(handle.graph, "outputs", ())):
            return False
        for user in handle.consumers():
            place = size if user.type not in READS | {"TensorListSetItem"} else _place(user)
            if not 0 <= place < size or (user.type in READS and handle.op is reserve):
                return False
            if user.type == "TensorListSetItem":
                handles.append(user.outputs[0])
    return True


def _place(op: Any) -> int:
    """Return the place that an op writes or reads: -1 if it is not known, 0 for all of them."""
    if op.type == "TensorListStack":
        return 0
    place = constant(op.inputs[1])
    return -1 if place is None else int(place)
