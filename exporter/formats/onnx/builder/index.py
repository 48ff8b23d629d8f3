"""Arithmetic of sizes and places, int64: done while exporting where everything is known, else written for the model to do."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import element, joined, vector, wide
from exporter.formats.onnx.builder.value import Constant, Shape, Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed

NUMPY: Mapping[str, Callable[..., np.ndarray]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.floordiv,  # of numbers that are not negative: ONNX rounds towards 0
    "Min": np.minimum,
    "Max": np.maximum,
    "Less": operator.lt,
    "LessOrEqual": operator.le,
    "Equal": operator.eq,
    "And": operator.and_,
}


@dataclass(frozen=True, eq=False)
class Index:
    """Integers (or the truth of comparisons) of any shape, that formulas can be written with.

    Args:
        g: the graph to write into.
        value: the integers, int64; a Constant as long as nothing unknown came in.
    """

    g: Graph
    value: Value

    def __add__(self, other: Index | int) -> Index:
        return self._with("Add", other)

    def __sub__(self, other: Index | int) -> Index:
        return self._with("Sub", other)

    def __mul__(self, other: Index | int) -> Index:
        return self._with("Mul", other)

    def __floordiv__(self, other: Index | int) -> Index:
        """Of numbers that are not negative."""
        return self._with("Div", other)

    def __lt__(self, other: Index | int) -> Index:
        return self._with("Less", other)

    def __le__(self, other: Index | int) -> Index:
        return self._with("LessOrEqual", other)

    def __and__(self, other: Index) -> Index:
        return self._with("And", other)

    def equals(self, other: Index | int) -> Index:
        """Return where both are equal."""
        return self._with("Equal", other)

    def at_most(self, other: Index | int) -> Index:
        """Return the smaller of both."""
        return self._with("Min", other)

    def at_least(self, other: Index | int) -> Index:
        """Return the larger of both."""
        return self._with("Max", other)

    def where(self, yes: Index | int, no: Index | int) -> Index:
        """Return `yes` where this is true, else `no`."""
        parts = [self.value, self._value(yes), self._value(no)]
        if all(isinstance(v, Constant) for v in parts):
            return Index(self.g, self.g.constant(np.where(*(v.array for v in parts if isinstance(v, Constant)))))
        return Index(self.g, self.g.op("Where", *parts, dtype=parts[1].dtype))

    def column(self) -> Index:
        """Return the same with an axis of size 1 behind it."""
        return Index(self.g, unsqueezed(self.g, self.value, self.value.rank))

    def flat(self) -> Value:
        """Return all numbers as a vector."""
        if isinstance(self.value, Constant):
            return self.value.reshape(self.value.size)
        return self.g.op("Reshape", self.value, self.g.constant([-1], np.int64), shape=(None,))

    def vector(self) -> Value:
        """Return a scalar as a vector of one element."""
        return vector(self.g, self.value)

    @property
    def known(self) -> int | None:
        """The number, None if only the model knows it."""
        return int(self.value.array) if isinstance(self.value, Constant) else None

    @property
    def bound(self) -> int | Value:
        """The number as the end of a range: an int, or a vector of one element."""
        return self.vector() if self.known is None else self.known

    def _value(self, other: Index | int) -> Value:
        return other.value if isinstance(other, Index) else self.g.constant(other, np.int64)

    def _with(self, kind: str, other: Index | int) -> Index:
        a, b = self.value, self._value(other)
        if isinstance(a, Constant) and isinstance(b, Constant):
            return Index(self.g, self.g.constant(NUMPY[kind](a.array, b.array)))
        return Index(self.g, self.g.op(kind, a, b))


def index(g: Graph, value: Value | int) -> Index:
    """Return an integer, or integers of the model, to calculate with."""
    return Index(g, wide(g, value) if isinstance(value, Value) else g.constant(value, np.int64))


def size_of(g: Graph, x: Value, axis: int) -> Index:
    """Return the size of `x` along Keras's `axis`, a scalar."""
    return Index(g, element(g, g.dimension(x, axis)))


def entry(g: Graph, values: Value, position: int) -> Index:
    """Return one number of a vector of integers, a scalar."""
    if isinstance(values, Constant):
        return index(g, int(values.array[position]))
    place = g.constant([position], np.int64)
    return Index(g, element(g, g.op("Gather", wide(g, values), place, shape=(1,), axis=0)))


def count_to(g: Graph, limit: Index) -> Index:
    """Return 0, 1, … below `limit`."""
    if limit.known is not None:
        return Index(g, g.constant(np.arange(limit.known, dtype=np.int64)))
    zero, one = g.constant(0, np.int64), g.constant(1, np.int64)
    return Index(g, g.op("Range", zero, limit.value, one, shape=(None,)))


def shaped(g: Graph, x: Value, sizes: list[Index], shape: Shape | None = None) -> Value:
    """Return `x` (in Keras's order) reshaped to `sizes`."""
    known = tuple(size.known for size in sizes)
    shape = known if shape is None else shape
    target = joined(g, [size.vector() for size in sizes])
    zeros = 1 if None in known and g.supports_opset(14) else None
    return g.op("Reshape", x, target, shape=shape, allowzero=zeros)


def padded_by(g: Graph, x: Value, before: list[Index], after: list[Index], fill: Value | None = None) -> Value:
    """Return `x` with `before` and `after` places more along each of Keras's axes, fewer where negative."""
    widths = [w.known for w in (*before, *after)]
    if all(w == 0 for w in widths):
        return x
    shape = tuple(
        None if None in (d, a.known, b.known) else (d or 0) + (a.known or 0) + (b.known or 0)
        for d, a, b in zip(x.shape, before, after, strict=True)
    )
    ends = [[w[axis] for axis in x.order] for w in (before, after)]
    pads = joined(g, [w.vector() for w in (*ends[0], *ends[1])])
    value = g.constant(0, x.numpy_dtype) if fill is None else fill
    return g.raw("Pad", x, pads, value, shape=shape, dtype=x.dtype, order=x.order, mode="constant")


def rows_at(g: Graph, x: Value, places: Index, axis: int) -> Value:
    """Return x[..., places, ...] along Keras's `axis`; places of any rank."""
    shape = (*x.shape[:axis], *places.value.shape, *x.shape[axis + 1 :])
    return g.op("Gather", x, places.value, shape=shape, dtype=x.dtype, axis=axis)
