"""TensorFlow's ops that pad: Pad, PadV2, MirrorPad."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_op
from exporter.lowerings.onnx.sizes import wide
from exporter.lowerings.onnx.value import Constant, Value


@lowers_op("Pad", "PadV2")
def pad(g: Graph, op: Any, x: Value, widths: Value, value: Value | None = None) -> Value:
    """Pad with zeros or a given number."""
    return padded(g, x, widths, "constant", g.constant(0, x.numpy_dtype) if value is None else value)


@lowers_op("MirrorPad")
def mirror_pad(g: Graph, op: Any, x: Value, widths: Value) -> Value:
    """Pad by reflection; SYMMETRIC repeats the border element, which ONNX has no mode for: it is gathered."""
    if op.get_attr("mode") == b"REFLECT":
        return padded(g, x, widths, "reflect")
    for axis, (before, after) in enumerate(_known_widths(widths)):
        if before or after:
            x = _symmetric(g, x, axis, before, after)
    return x


def padded(g: Graph, x: Value, widths: Value, mode: str, value: Value | None = None) -> Value:
    """Return `x` padded by `widths`, (before, after) for each of Keras's axes; `x` keeps its axis order."""
    if not isinstance(widths, Constant):
        return _dynamically(g, x, widths, mode, value)
    pairs = _known_widths(widths)
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


def _known_widths(widths: Value) -> list[tuple[int, int]]:
    if not isinstance(widths, Constant):
        raise NotImplementedError("symmetric padding by widths that depend on the model's inputs")
    return [(int(before), int(after)) for before, after in widths.array]


def _symmetric(g: Graph, x: Value, axis: int, before: int, after: int) -> Value:
    length = x.shape[axis]
    if length is None:
        raise NotImplementedError("symmetric padding of an axis whose length is not known while exporting")
    places = [*range(before - 1, -1, -1), *range(length), *range(length - 1, length - 1 - after, -1)]
    shape = (*x.shape[:axis], length + before + after, *x.shape[axis + 1 :])
    indices = g.constant(places, np.int64)
    return g.raw("Gather", x, indices, shape=shape, dtype=x.dtype, order=x.order, axis=x.axis(axis))
