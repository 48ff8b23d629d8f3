"""SpaceToBatchND, BatchToSpaceND: blocks of the spatial axes become rows of the batch, and back; all sizes may be computed."""

from __future__ import annotations

from typing import Any

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, entry, index, padded_by, shaped, size_of
from exporter.formats.onnx.builder.sizes import wide
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.slicing import Range, indexed, sliced
from exporter.formats.onnx.registry import lowers_op


def _blocks(g: Graph, sizes: Value, borders: Value) -> tuple[list[Index], list[Index], list[Index]]:
    """Return the size of a block along each axis, and what is added or cut before and after it."""
    count = sizes.shape[0]
    if count is None:
        raise NotImplementedError("blocks along a number of axes that is not known while exporting")
    before, after = (_column(g, borders, n) for n in (0, 1))
    return tuple([entry(g, part, n) for n in range(count)] for part in (sizes, before, after))  # type: ignore[return-value]


def _column(g: Graph, borders: Value, number: int) -> Value:
    if isinstance(borders, Constant):
        return g.constant(borders.array[:, number])
    return indexed(g, wide(g, borders), 1, number)


@lowers_op("SpaceToBatchND")
def space_to_batch(g: Graph, op: Any, x: Value, block: Value, paddings: Value) -> Value:
    """Pad with zeros, and put the place within a block in front of the batch."""
    blocks, before, after = _blocks(g, block, paddings)
    count, zero = len(blocks), index(g, 0)
    rest = [zero] * (x.rank - 1 - count)
    x = padded_by(g, g.keras_order(x), [zero, *before, *rest], [zero, *after, *rest])
    batch, tail = size_of(g, x, 0), [size_of(g, x, axis) for axis in range(1 + count, x.rank)]
    places = [size_of(g, x, 1 + n) // b for n, b in enumerate(blocks)]
    apart = shaped(g, x, [batch, *(size for pair in zip(places, blocks, strict=True) for size in pair), *tail])
    inner, outer = range(2, 2 * count + 1, 2), range(1, 2 * count, 2)
    turned = _turned(g, apart, [*inner, 0, *outer, *range(2 * count + 1, apart.rank)])
    for b in blocks:
        batch = batch * b
    return shaped(g, turned, [batch, *places, *tail])


@lowers_op("BatchToSpaceND")
def batch_to_space(g: Graph, op: Any, x: Value, block: Value, crops: Value) -> Value:
    """Take the place within a block from the front of the batch, and crop."""
    blocks, before, after = _blocks(g, block, crops)
    count, batch = len(blocks), size_of(g, x, 0)
    for b in blocks:
        batch = batch // b
    places, tail = ([size_of(g, x, axis) for axis in axes] for axes in (range(1, 1 + count), range(1 + count, x.rank)))
    apart = shaped(g, g.keras_order(x), [*blocks, batch, *places, *tail])
    pairs = [axis for n in range(count) for axis in (count + 1 + n, n)]
    turned = _turned(g, apart, [count, *pairs, *range(2 * count + 1, apart.rank)])
    whole = [place * b for place, b in zip(places, blocks, strict=True)]
    joined = shaped(g, turned, [batch, *whole, *tail])
    bounds = [(start, size - stop) for start, size, stop in zip(before, whole, after, strict=True)]
    return sliced(g, joined, [Range(1 + n, a.bound, b.bound) for n, (a, b) in enumerate(bounds)])


def _turned(g: Graph, x: Value, permutation: list[int]) -> Value:
    return g.op("Transpose", x, shape=tuple(x.shape[axis] for axis in permutation), perm=permutation)
