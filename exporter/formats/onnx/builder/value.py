"""The tensors of a graph under construction.

A value knows its shape in Keras's axis order, and how the file holds it: file axis `i` is Keras axis `order[i]`. Images come
out of a convolution channels-first and stay so until an op needs Keras's own order; only then is a Transpose written.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import onnx_ir

Shape = tuple[int | None, ...]
Order = tuple[int, ...]


def identity(rank: int) -> Order:
    """Return the order of a tensor that the file holds as Keras does."""
    return tuple(range(rank))


def channels_first(rank: int) -> Order:
    """Return the order in which a channels-last tensor of `rank` axes lies channels-first."""
    return (0, rank - 1, *range(1, rank - 1))


@dataclass(eq=False)
class Value:
    """A tensor that the graph computes.

    Args:
        ir: the value in the file; None until a constant is used.
        shape: in Keras's axis order, None where dynamic.
        dtype: of the elements in the file.
        order: file axis i is Keras axis order[i].
        uses: how many ops of the traced model take it; 0 where that is not known.
        held: what holds the tensor in the file if this value was left without use, and Keras's axis for each of its axes,
            None for one of size 1 that Keras does not have.
    """

    ir: onnx_ir.Value | None
    shape: Shape
    dtype: onnx_ir.DataType
    order: Order
    uses: int = field(default=0, kw_only=True)
    held: tuple[onnx_ir.Value, tuple[int | None, ...]] | None = field(default=None, kw_only=True)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def in_keras_order(self) -> bool:
        """Whether the file holds the axes as Keras does."""
        return self.order == identity(self.rank)

    @property
    def file_shape(self) -> Shape:
        """The shape in the file's axis order."""
        return tuple(self.shape[axis] for axis in self.order)

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the elements."""
        return self.dtype.numpy()

    @property
    def is_float(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.dtype.is_floating_point()

    def axis(self, axis: int) -> int:
        """Return the file's axis for Keras's `axis`, which may be negative."""
        return self.order.index(axis % self.rank)

    def as_filed(self) -> Value:
        """Return the same tensor with its axes counted as the file has them, for ops that ask for an order of their own."""
        return Value(self.ir, self.file_shape, self.dtype, identity(self.rank))

    def meant_as(self, order: Order) -> Value:
        """Return the same tensor where the file's axis i stands for Keras's axis order[i]: the reverse of `as_filed`."""
        shape = self.file_shape
        return Value(self.ir, tuple(shape[order.index(axis)] for axis in range(self.rank)), self.dtype, order)


@dataclass(eq=False)
class Constant(Value):
    """A tensor known while exporting: a weight, or a number of the graph. It is written when, and as, it is used.

    Args:
        load: returns the array, in Keras's axis order; called each time it is needed, so that weights are not held twice.
        name: what to call it in the file.
        key: equal for equal contents, so that it is written once; None to compare by content.
    """

    load: Callable[[], np.ndarray] = field(kw_only=True)
    name: str = field(kw_only=True)
    key: Hashable = field(default=None, kw_only=True)

    @cached_property
    def array(self) -> np.ndarray:
        """The contents, kept: for small constants that a lowering computes with."""
        return self.load()

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod([d or 0 for d in self.shape], dtype=np.int64))

    def mapped(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        key: Hashable,
        shape: Shape | None = None,
        dtype: Any = None,
    ) -> Constant:
        """Return the constant `function(array)`, computed when it is written.

        Args:
            function: of the array; it must not change it.
            key: tells the function and its arguments apart from others.
            shape: of the result; None: unchanged.
            dtype: NumPy dtype of the result; None: unchanged.
        """
        load = self.load
        new_shape = self.shape if shape is None else shape
        return Constant(
            None,
            new_shape,
            self.dtype if dtype is None else onnx_ir.DataType.from_numpy(np.dtype(dtype)),
            identity(len(new_shape)),
            load=lambda: function(load()),
            name=self.name,
            key=None if self.key is None else (self.key, key),
        )

    def transpose(self, *axes: int) -> Constant:
        """Return the constant with its axes permuted."""
        if axes == identity(self.rank):
            return self
        return self.mapped(lambda a: a.transpose(axes), ("transpose", axes), tuple(self.shape[a] for a in axes))

    def reshape(self, *shape: int) -> Constant:
        """Return the constant in another shape, whose dimensions must all be given (no -1)."""
        return self if shape == self.shape else self.mapped(lambda a: a.reshape(shape), ("reshape", shape), shape)

    def astype(self, dtype: Any) -> Constant:
        """Return the constant in another NumPy dtype."""
        wanted = np.dtype(dtype)
        if wanted == self.numpy_dtype:
            return self
        return self.mapped(lambda a: a.astype(wanted), ("astype", str(wanted)), dtype=wanted)


def combined(
    constants: Sequence[Constant], function: Callable[..., np.ndarray], key: Hashable, shape: Shape
) -> Constant:
    """Return the constant `function(*arrays)` of several constants, computed when it is written.

    Args:
        constants: the first one gives its name and dtype.
        function: of their arrays; it must not change them.
        key: tells the function and its arguments apart from others.
        shape: of the result.
    """
    keys = tuple(c.key for c in constants)
    first = constants[0]
    return Constant(
        None,
        shape,
        first.dtype,
        identity(len(shape)),
        load=lambda: function(*(c.load() for c in constants)),
        name=first.name,
        key=None if None in keys else (keys, key),
    )


def broadcast_shapes(shapes: Sequence[Shape]) -> Shape:
    """Return the shape that NumPy's broadcasting gives, where None against 1 is None and against n is n."""
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(_broadcast_dimension(dims) for dims in zip(*padded, strict=True))


def _broadcast_dimension(dims: tuple[int | None, ...]) -> int | None:
    known = {d for d in dims if d not in (None, 1)}
    if known:
        return max(d for d in known if d is not None)
    return None if None in dims else 1
