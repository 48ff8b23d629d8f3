"""TensorFlow's ops that pad: Pad, PadV2, MirrorPad."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, count_to, index, size_of
from exporter.formats.onnx.builder.sizes import wide
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.slicing import indexed
from exporter.formats.onnx.registry import lowers_op


@lowers_op("Pad", "PadV2")
def pad(g: Graph, op: Any, x: Value, widths: Value, value: Value | None = None) -> Value:
    """Pad with zeros or a given number."""
    return padded(g, x, widths, "constant", g.constant(0, x.numpy_dtype) if value is None else value)


@lowers_op("MirrorPad")
def mirror_pad(g: Graph, op: Any, x: Value, widths: Value) -> Value:
    """Pad by reflection; SYMMETRIC repeats the border element, which ONNX has no mode for: it is gathered."""
    if op.get_attr("mode") == b"REFLECT":
        return padded(g, x, widths, "reflect")
    for axis in range(x.rank):
        before, after = (_width(g, widths, axis, end) for end in (0, 1))
        if before.known != 0 or after.known != 0:
            x = _symmetric(g, x, axis, before, after)
    return x


def _width(g: Graph, widths: Value, axis: int, end: int) -> Index:
    if isinstance(widths, Constant):
        return index(g, int(widths.array[axis, end]))
    return Index(g, indexed(g, indexed(g, wide(g, widths), 0, axis), 0, end))


def padded(g: Graph, x: Value, widths: Value, mode: str, value: Value | None = None) -> Value:
    """Return `x` padded by `widths`, (before, after) for each of Keras's axes; `x` keeps its axis order."""
    if not isinstance(widths, Constant):
        return _dynamically(g, x, widths, mode, value)
    pairs = [(int(before), int(after)) for before, after in widths.array]
    if not any(map(any, pairs)):
        return x
    shape = tuple(None if d is None else d + sum(w) for d, w in zip(x.shape, pairs, strict=True))
    pads = [pairs[a][0] for a in x.order] + [pairs[a][1] for a in x.order]
    return g.raw("Pad", x, g.constant(pads, np.int64), value, shape=shape, dtype=x.dtype, order=x.order, mode=mode)


def _dynamically(g: Graph, x: Value, widths: Value, mode: str, value: Value | None) -> Value:
    """Pad by widths that the model computes: ONNX wants all those before, then all those after."""
    columns = g.op("Transpose", wide(g, widths), shape=(2, x.rank), perm=[1, 0])
    pads = g.op("Reshape", columns, g.constant([-1], np.int64), shape=(2 * x.rank,))
    return g.op("Pad", x, pads, value, shape=(None,) * x.rank, dtype=x.dtype, mode=mode)


def _symmetric(g: Graph, x: Value, axis: int, before: Index, after: Index) -> Value:
    """Gather: in front of the first element stands itself, then the second one, and so at the end."""
    length = size_of(g, x, axis)
    places = count_to(g, before + length + after) - before
    places = (places < 0).where(index(g, -1) - places, places)
    places = (places < length).where(places, length * 2 - 1 - places)
    shape = (*x.shape[:axis], places.value.shape[0], *x.shape[axis + 1 :])
    return g.raw("Gather", x, places.value, shape=shape, dtype=x.dtype, order=x.order, axis=x.axis(axis))
