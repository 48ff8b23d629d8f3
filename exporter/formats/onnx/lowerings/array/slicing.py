"""TensorFlow's ops that take a part of a tensor by ranges: StridedSlice, Slice, ReverseV2, ReverseSequence, Roll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import Sizes, element, joined, vector, wide
from exporter.formats.onnx.builder.static import known_ints
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.joining import concatenated
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.registry import lowers_op

FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max  # beyond either end of any axis

Bound = int | Value  # a number known while exporting, or an int64 vector of one element


@dataclass(frozen=True)
class Range:
    """start:stop:step along one axis."""

    axis: int
    start: Bound
    stop: Bound
    step: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether it takes the axis as it is."""
        return self.step == 1 and self.start == 0 and self.stop == LAST

    def length(self, size: int | None) -> int | None:
        """Return how many elements it takes of an axis of `size`, None if unknown."""
        if size is None or not isinstance(self.start, int) or not isinstance(self.stop, int):
            return None
        # Python cannot step down past the first element by a number; None does it.
        stop = None if self.stop == FIRST else self.stop
        return len(range(*slice(self.start, stop, self.step).indices(size)))


def sliced(g: Graph, x: Value, ranges: Sequence[Range]) -> Value:
    """Return the part of `x` within ranges of Keras's axes; it lies as `x` does."""
    ranges = [r for r in ranges if not r.is_whole]
    if not ranges:
        return x
    shape = list(x.shape)
    for r in ranges:
        shape[r.axis] = r.length(x.shape[r.axis])
    starts, stops = (_vector(g, [getattr(r, end) for r in ranges]) for end in ("start", "stop"))
    axes = g.constant([x.axis(r.axis) for r in ranges], np.int64)
    steps = [g.constant([r.step for r in ranges], np.int64)] if any(r.step != 1 for r in ranges) else []
    return g.raw("Slice", x, starts, stops, axes, *steps, shape=tuple(shape), dtype=x.dtype, order=x.order)


def _vector(g: Graph, bounds: Sequence[Bound]) -> Value:
    return joined(g, [g.constant([b], np.int64) if isinstance(b, int) else b for b in bounds])


def indexed(g: Graph, x: Value, axis: int, index: int | Value) -> Value:
    """Return x[..., index, ...]: Keras's `axis` is dropped. `index` is a number or an integer scalar."""
    scalar = g.constant(index, np.int64) if isinstance(index, int) else wide(g, index) if g.is_size(index) else index
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    order = tuple(a - (a > axis) for a in x.order if a != axis)
    return g.raw("Gather", x, scalar, shape=shape, dtype=x.dtype, order=order, axis=x.axis(axis))


@dataclass(frozen=True)
class _Index:
    """One element along one axis, which is dropped."""

    axis: int
    index: Bound


class _Subscripts:
    """What stands between the brackets of a StridedSlice, entry by entry.

    Args:
        g: the graph.
        op: the StridedSlice.
        bounds: its inputs begin, end and strides.
    """

    def __init__(self, g: Graph, op: Any, bounds: Sequence[Value]) -> None:
        from tensorflow.python.framework import tensor_util

        self.g, self.op, self.bounds = g, op, bounds
        self.known = [tensor_util.constant_value(t, partial=True) for t in op.inputs[1:]]
        self.count = op.inputs[1].shape.num_elements()
        if self.count is None:
            raise NotImplementedError("a slice whose number of subscripts is not known while exporting")

    def mask(self, name: str, entry: int) -> bool:
        """Whether the bit of `entry` is set in a mask."""
        return bool(self.op.get_attr(f"{name}_mask") >> entry & 1)

    def bound(self, which: int, entry: int) -> Bound:
        """Return begin (0), end (1) or stride (2) of an entry."""
        known, given = self.known[which], self.bounds[which]
        if known is not None and known[entry] is not None:
            return int(known[entry])
        if isinstance(given, Constant):  # known here, though not within the graph of a branch or a loop
            return int(given.array[entry])
        return sliced(self.g, wide(self.g, self.bounds[which]), [Range(0, entry, entry + 1)])

    def step(self, entry: int) -> int:
        """Return the stride of an entry."""
        step = self.bound(2, entry)
        if not isinstance(step, int):
            raise NotImplementedError("a slice whose step depends on the model's inputs")
        return step

    def range(self, axis: int, entry: int) -> Range:
        """Return the range of an entry on `axis`."""
        step = self.step(entry)
        whole = (0, LAST) if step > 0 else (LAST, FIRST)
        start = whole[0] if self.mask("begin", entry) else self.bound(0, entry)
        stop = whole[1] if self.mask("end", entry) else self.bound(1, entry)
        return Range(axis, start, stop, step)

    def parse(self, rank: int) -> tuple[list[Range], list[_Index], list[int]]:
        """Return the ranges, the indices, and where in the result new axes stand."""
        ranges: list[Range] = []
        indices: list[_Index] = []
        new: list[int] = []
        axis = place = 0
        for entry in range(self.count):
            if self.mask("ellipsis", entry):
                taken = sum(not self.mask("new_axis", e) for e in range(entry + 1, self.count))
                place, axis = place + rank - taken - axis, rank - taken
            elif self.mask("new_axis", entry):
                new.append(place)
                place += 1
            elif self.mask("shrink_axis", entry):
                indices.append(_Index(axis, self.bound(0, entry)))
                axis += 1
            else:
                ranges.append(self.range(axis, entry))
                axis, place = axis + 1, place + 1
        return ranges, indices, new


@lowers_op("StridedSlice")
def strided_slice(g: Graph, op: Any, x: Value, *bounds: Value) -> Value:
    """x[...] with numbers, ranges, new axes and an ellipsis: Slice, Gather, Unsqueeze."""
    if g.is_size(x):
        x = wide(g, x)
    ranges, indices, new = _Subscripts(g, op, bounds).parse(x.rank)
    if isinstance(x, Sizes) and indices and isinstance(indices[0].index, int):
        return element(g, g.dimension(x.of, indices[0].index))
    if isinstance(x, Sizes) and not indices and not new and (dimensions := _fixed(x, ranges)):
        return g.constant(dimensions, np.int64)
    y = sliced(g, x, ranges)
    for i in reversed(indices):
        y = indexed(g, y, i.axis, i.index if isinstance(i.index, int) else element(g, i.index))
    for place in new:
        y = unsqueezed(g, y, place)
    return y


def _fixed(sizes: Sizes, ranges: Sequence[Range]) -> list[int]:
    """Return the part of a shape that the ranges take; nothing if they or one of the dimensions depend on the input."""
    part = list(sizes.of.shape)
    for r in ranges:
        if not isinstance(r.start, int) or not isinstance(r.stop, int):
            return []
        part = part[r.start : None if r.stop == FIRST else r.stop : r.step]
    return [n for n in part if n is not None] if None not in part else []


@lowers_op("Slice")
def tf_slice(g: Graph, op: Any, x: Value, begin: Value, size: Value) -> Value:
    """x[begin : begin + size]; a size of -1 takes what is left."""
    if isinstance(begin, Constant) and isinstance(size, Constant):
        pairs = zip(begin.array.tolist(), size.array.tolist(), strict=True)
        return sliced(g, x, [Range(a, b, LAST if n == -1 else b + n) for a, (b, n) in enumerate(pairs)])
    starts, lengths = wide(g, begin), wide(g, size)
    stops = g.op("Add", starts, lengths)
    if not (isinstance(size, Constant) and (size.array >= 0).all()):
        rest = g.op("Equal", lengths, g.constant(-1, np.int64))
        stops = g.op("Where", rest, g.constant(LAST, np.int64), stops, dtype=stops.dtype)
    return g.op("Slice", x, starts, stops, shape=(None,) * x.rank, dtype=x.dtype)


@lowers_op("ReverseV2")
def reverse(g: Graph, op: Any, x: Value, axes: Value) -> Value:
    """x[::-1] along some axes."""
    places = [axis % x.rank for axis in known_ints(axes, "the axes of flip")]
    return sliced(g, x, [Range(axis, LAST, FIRST, -1) for axis in places])


@lowers_op("ReverseSequence")
def reverse_sequence(g: Graph, op: Any, x: Value, lengths: Value) -> Value:
    """Reverse the first `lengths[b]` steps of each sequence."""
    time, batch = op.get_attr("seq_dim") % x.rank, op.get_attr("batch_dim") % x.rank
    order = (batch, time, *(a for a in range(x.rank) if a not in (batch, time)))
    laid = g.in_order(x, order)
    return g.raw(
        "ReverseSequence", laid, wide(g, lengths), shape=x.shape, dtype=x.dtype, order=order, batch_axis=0, time_axis=1
    )


@lowers_op("Roll")
def roll(g: Graph, op: Any, x: Value, shifts: Value, axes: Value) -> Value:
    """Cut each axis in two and swap the parts."""
    places = known_ints(axes, "the axes of roll")
    for position, axis in enumerate(places):
        if isinstance(shifts, Constant):
            x = _rolled(g, x, axis % x.rank, int(np.ravel(shifts.array)[position]))
        else:
            vectors = vector(g, shifts) if shifts.rank == 0 else shifts
            x = _rolled(g, x, axis % x.rank, sliced(g, wide(g, vectors), [Range(0, position, position + 1)]))
    return x


def _rolled(g: Graph, x: Value, axis: int, shift: Bound) -> Value:
    """Return x[-shift:] and then x[:-shift], the shift taken modulo the size of the axis."""
    size = x.shape[axis]
    cut: Bound
    if size is not None and isinstance(shift, int):
        cut = -shift % size if size else 0
        if cut == 0:
            return x
    else:
        back = g.constant([-shift], np.int64) if isinstance(shift, int) else g.op("Neg", shift)
        length = g.op("Max", g.dimension(x, axis), g.constant([1], np.int64))
        cut = g.op("Mod", back, length)
    parts = [sliced(g, x, [Range(axis, cut, LAST)]), sliced(g, x, [Range(axis, 0, cut)])]
    return concatenated(g, parts, axis, x.shape)
