"""CropAndResize: parts of images, boxes of the model's own making, resized to one size.

The four pixels around each place are gathered from the images as one long row; places outside get the fill.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, count_to, entry, index, rows_at, shaped, size_of
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import indexed
from exporter.formats.onnx.registry import lowers_op

FLOAT, INT64 = ir.DataType.FLOAT, ir.DataType.INT64


@lowers_op("CropAndResize")
def crop_and_resize(g: Graph, op: Any, images: Value, boxes: Value, owners: Value, size: Value) -> Value:
    """(boxes, rows, columns, channels) of (batch, height, width, channels), boxes (y1, x1, y2, x2) in fractions."""
    x = g.keras_order(images)
    sizes = [size_of(g, x, axis) for axis in range(4)]
    box = g.keras_order(boxes)
    down, across = (
        _places(g, indexed(g, box, 1, n), indexed(g, box, 1, n + 2), sizes[1 + n], entry(g, size, n)) for n in (0, 1)
    )
    pixels = shaped(g, g.cast(x, FLOAT), [sizes[0] * sizes[1] * sizes[2], sizes[3]])
    first = index(g, unsqueezed(g, unsqueezed(g, owners, 1), 2)) * (sizes[1] * sizes[2])

    def at(row: Value, column: Value) -> Value:
        places = first + index(g, unsqueezed(g, row, 2)) * sizes[2] + index(g, unsqueezed(g, column, 1))
        return rows_at(g, pixels, places, 0)

    down_in, across_in = (_inside(g, p, n) for p, n in zip((down, across), sizes[1:3], strict=True))
    inside = g.op("And", unsqueezed(g, down_in, 2), unsqueezed(g, across_in, 1))
    method = _nearest if op.get_attr("method") == b"nearest" else _bilinear
    result = method(g, at, (down, sizes[1]), (across, sizes[2]))
    fill = g.constant(op.get_attr("extrapolation_value"), np.float32)
    return g.op("Where", unsqueezed(g, inside, 3), result, fill, dtype=FLOAT)


def _places(g: Graph, start: Value, stop: Value, size: Index, count: Index) -> Value:
    """Return (boxes, count) places in pixels: from `start` to `stop`, or their middle if there is to be only one."""
    last = g.cast((size - 1).value, FLOAT)
    steps = g.cast((count - 1).at_least(1).value, FLOAT)
    scale = g.op("Div", g.op("Mul", g.op("Sub", stop, start), last), steps)
    number = g.cast(count_to(g, count).value, FLOAT)
    along = g.op("Add", unsqueezed(g, g.op("Mul", start, last), 1), g.op("Mul", number, unsqueezed(g, scale, 1)))
    middle = g.op("Mul", g.op("Mul", g.op("Add", start, stop), 0.5), last)
    if count.known is not None:
        return unsqueezed(g, middle, 1) if count.known == 1 else along
    return g.op("Where", count.equals(1).value, unsqueezed(g, middle, 1), along, dtype=FLOAT)


def _inside(g: Graph, places: Value, size: Index) -> Value:
    below = g.op("Less", places, g.constant(0, np.float32))
    beyond = g.op("Greater", places, g.cast((size - 1).value, FLOAT))
    return g.op("Not", g.op("Or", below, beyond))


def _held(g: Graph, places: Value, size: Index) -> Value:
    """Return whole places as int64, those outside moved to the border."""
    return index(g, g.cast(places, INT64)).at_least(0).at_most(size - 1).value


def _nearest(g: Graph, at: Any, down: tuple[Value, Index], across: tuple[Value, Index]) -> Value:
    """Halves are rounded up: places are not negative."""
    row, column = (_held(g, g.op("Floor", g.op("Add", places, 0.5)), size) for places, size in (down, across))
    result: Value = at(row, column)
    return result


def _bilinear(g: Graph, at: Any, down: tuple[Value, Index], across: tuple[Value, Index]) -> Value:
    (top, bottom), (left, right) = (
        [_held(g, g.op(kind, places), size) for kind in ("Floor", "Ceil")] for places, size in (down, across)
    )
    low, high = (g.op("Sub", places, g.op("Floor", places)) for places in (down[0], across[0]))
    sideways, downwards = unsqueezed(g, unsqueezed(g, high, 1), 3), unsqueezed(g, unsqueezed(g, low, 2), 3)
    above, below = (_between(g, at(row, left), at(row, right), sideways) for row in (top, bottom))
    return _between(g, above, below, downwards)


def _between(g: Graph, a: Value, b: Value, fraction: Value) -> Value:
    return g.op("Add", a, g.op("Mul", g.op("Sub", b, a), fraction))
