"""Projective transforms of images: each pixel of the result is read where the transform sends it.

(x, y) goes to ((a₀x + a₁y + a₂) / k, (b₀x + b₁y + b₂) / k), k = c₀x + c₁y + 1. Reading there means rounding, or the weighted
mean of four pixels; beyond the edges a value, the nearest pixel, the image mirrored or the image repeated. The pixels are
gathered by index: the op GridSample has neither TensorFlow's mirroring nor its repeating.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import element, joined
from exporter.formats.onnx.builder.static import static_shape
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.registry import lowers_op

FLOAT, INT64 = ir.DataType.FLOAT, ir.DataType.INT64


@lowers_op("ImageProjectiveTransformV3")
def transform(g: Graph, op: Any, images: Value, transforms: Value, size: Value, fill: Value) -> Value:
    """Map the coordinates, fold them into the image, gather."""
    wanted = static_shape(op)
    height, width = (sliced(g, g.cast(size, INT64), [Range(0, n, n + 1)]) for n in (0, 1))
    x, y, valid = _coordinates(g, transforms, _counted(g, width, wanted[2]), _counted(g, height, wanted[1]))
    mode = op.get_attr("fill_mode").decode()
    x, y = (_folded(g, mode, c, g.cast(g.dimension(images, axis), FLOAT)) for c, axis in ((x, 2), (y, 1)))
    image = _Image(g, images, g.cast(fill, images.dtype), wanted)
    read = image.nearest if op.get_attr("interpolation") == b"NEAREST" else image.bilinear
    return _where(g, unsqueezed(g, valid, 3), read(y, x), image.fill, images.dtype)


def _counted(g: Graph, size: Value, static: int | None) -> Value:
    """Return 0, 1, … size - 1 as float32."""
    if static is not None:
        return g.constant(np.arange(static, dtype=np.float32))
    zero, one = g.constant(0, np.int64), g.constant(1, np.int64)
    return g.cast(g.op("Range", zero, element(g, size), one, shape=(None,)), FLOAT)


def _coordinates(g: Graph, transforms: Value, columns: Value, rows: Value) -> tuple[Value, Value, Value]:
    """Return x and y in the image for each pixel of the result, (batch or 1, height, width), and whether they are finite."""
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        unsqueezed(g, sliced(g, g.cast(transforms, FLOAT), [Range(1, n, n + 1)]), 2) for n in range(8)
    )
    across, down = columns, unsqueezed(g, rows, 1)

    def form(a: Value, b: Value, c: Any) -> Value:
        return g.op("Add", g.op("Add", g.op("Mul", a, across), g.op("Mul", b, down)), c)

    k = form(c0, c1, 1)
    valid = g.op("Not", g.op("Equal", k, g.constant(0, np.float32)))
    return g.op("Div", form(a0, a1, a2), k), g.op("Div", form(b0, b1, b2), k), valid


def _folded(g: Graph, mode: str, x: Value, size: Value) -> Value:
    """Return coordinates that lie within [0, size - 1], unless what lies beyond has a value of its own."""
    if mode == "CONSTANT":
        return x
    last = g.op("Sub", size, 1)
    zero = g.constant(0, np.float32)
    if mode in ("REFLECT", "WRAP"):
        below, above = (_mirrored if mode == "REFLECT" else _repeated)(g, x, size, last)
        x = _where(g, g.op("Less", x, zero), below, _where(g, g.op("Greater", x, last), above, x, FLOAT), FLOAT)
    return g.op("Max", g.op("Min", x, last), zero)


def _mirrored(g: Graph, x: Value, size: Value, last: Value) -> tuple[Value, Value]:
    """Return what stands for x < 0 and for x > size - 1 when the image is mirrored at its edges: dcba|abcd|dcba."""
    period = g.op("Mul", size, 2)
    turns = _truncated(g, g.op("Div", g.op("Neg", x), period))
    moved = _where(g, g.op("Less", x, period), g.op("Add", g.op("Mul", period, turns), x), x, FLOAT)
    beyond = g.op("Less", moved, g.op("Neg", size))
    below = _where(g, beyond, g.op("Add", moved, period), g.op("Sub", g.op("Neg", moved), 1), FLOAT)
    rest = g.op("Sub", x, g.op("Mul", period, _truncated(g, g.op("Div", x, period))))
    back = g.op("Sub", g.op("Sub", period, rest), 1)
    return below, _where(g, g.op("GreaterOrEqual", rest, size), back, rest, FLOAT)


def _repeated(g: Graph, x: Value, size: Value, last: Value) -> tuple[Value, Value]:
    """Return what stands for x < 0 and for x > size - 1 when the image is repeated: abcd|abcd|abcd, as TensorFlow counts."""
    turns = g.op("Add", _truncated(g, g.op("Div", g.op("Neg", x), last)), 1)
    below = g.op("Add", x, g.op("Mul", size, turns))
    return below, g.op("Sub", x, g.op("Mul", size, _truncated(g, g.op("Div", x, last))))


def _truncated(g: Graph, x: Value) -> Value:
    return g.op("Mul", g.op("Sign", x), g.op("Floor", g.op("Abs", x)))


def _where(g: Graph, condition: Value, x: Any, y: Any, dtype: ir.DataType) -> Value:
    return g.op("Where", condition, x, y, dtype=dtype)


class _Image:
    """Images whose pixels are read by coordinates.

    Args:
        g: the graph.
        images: (batch, height, width, channels).
        fill: the value of what lies outside.
        shape: of the result.
    """

    def __init__(self, g: Graph, images: Value, fill: Value, shape: tuple[int | None, ...]) -> None:
        self.g, self.fill, self.shape = g, fill, shape
        self.height, self.width = (g.dimension(images, axis) for axis in (1, 2))
        count = None if None in images.shape[1:3] else (images.shape[1] or 0) * (images.shape[2] or 0)
        pixels = g.op("Mul", self.height, self.width) if count is None else g.constant([count], np.int64)
        target = joined(g, [g.constant([0], np.int64), pixels, g.dimension(images, 3)])
        self.pixels = g.op("Reshape", images, target, shape=(images.shape[0], count, images.shape[3]))
        self.images = images

    def nearest(self, y: Value, x: Value) -> Value:
        """Read at the nearest pixel; halves round away from zero."""
        return self._read(self._rounded(y), self._rounded(x))

    def bilinear(self, y: Value, x: Value) -> Value:
        """Read the weighted mean of the four pixels around."""
        g = self.g
        top, left = g.op("Floor", y), g.op("Floor", x)
        bottom, right = g.op("Add", top, 1), g.op("Add", left, 1)
        weights = [(g.op("Sub", right, x), left), (g.op("Sub", x, left), right)]
        rows = [(g.op("Sub", bottom, y), top), (g.op("Sub", y, top), bottom)]
        lines = [
            self._mean([(across, self._read(row, column, FLOAT)) for across, column in weights]) for _, row in rows
        ]
        mean = self._mean([(down, line) for (down, _), line in zip(rows, lines, strict=True)])
        return g.cast(mean, self.images.dtype)

    def _mean(self, parts: list[tuple[Value, Value]]) -> Value:
        g = self.g
        first, second = (g.op("Mul", unsqueezed(g, weight, 3), value) for weight, value in parts)
        return g.op("Add", first, second)

    def _rounded(self, x: Value) -> Value:
        g = self.g
        return g.op("Mul", g.op("Sign", x), g.op("Floor", g.op("Add", g.op("Abs", x), 0.5)))

    def _read(self, y: Value, x: Value, dtype: ir.DataType | None = None) -> Value:
        """Return the pixels at whole coordinates, (batch, height, width, channels)."""
        g, dtype = self.g, dtype or self.images.dtype
        inside = g.op("And", self._within(y, self.height), self._within(x, self.width))
        place = g.op("Add", g.op("Mul", y, g.cast(self.width, FLOAT)), x)
        place = g.cast(_where(g, inside, place, g.constant(0, np.float32), FLOAT), INT64)
        batch = (self.images.shape[0], *place.shape[1:])
        each = g.op("Expand", place, self._batched(), shape=batch)
        gathered = g.op(
            "GatherND", self.pixels, unsqueezed(g, each, 3), shape=self.shape, dtype=self.pixels.dtype, batch_dims=1
        )
        return _where(g, unsqueezed(g, inside, 3), g.cast(gathered, dtype), g.cast(self.fill, dtype), dtype)

    def _batched(self) -> Value:
        return joined(self.g, [self.g.dimension(self.images, 0), self.g.constant([1, 1], np.int64)])

    def _within(self, x: Value, size: Value) -> Value:
        g = self.g
        below = g.op("Less", x, g.cast(size, FLOAT))
        return g.op("And", g.op("GreaterOrEqual", x, g.constant(0, np.float32)), below)
