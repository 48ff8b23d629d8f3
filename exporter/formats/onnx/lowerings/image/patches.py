"""Patches of images and volumes: ExtractImagePatches, ExtractVolumePatches.

Along each spatial axis the places of every window are gathered, which copies elements and calculates with none: any dtype, NaN
and Inf stay what they are, sizes may be dynamic.
"""

from __future__ import annotations

from typing import Any

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, count_to, index, padded_by, rows_at, shaped, size_of
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import lowers_op


@lowers_op("ExtractImagePatches", "ExtractVolumePatches")
def patches(g: Graph, op: Any, images: Value) -> Value:
    """(batch, spatial …, channels) to (batch, windows …, window · channels); zeros around the image for "SAME"."""
    count = images.rank - 2
    rates = op.get_attr("rates")[1:-1] if op.type == "ExtractImagePatches" else [1] * count
    views = zip(op.get_attr("ksizes")[1:-1], op.get_attr("strides")[1:-1], rates, strict=True)
    x = g.keras_order(images)
    windows: list[Index] = []
    sizes: list[int] = []
    befores, afters = [index(g, 0)], [index(g, 0)]
    for axis, (size, stride, rate) in enumerate(views, 1):
        extent = (size - 1) * rate + 1
        number, before, after = spread_windows(size_of(g, x, axis), extent, stride, op.get_attr("padding"))
        windows.append(count_to(g, number).column() * stride + count_to(g, index(g, size)) * rate)
        sizes.append(size)
        befores.append(before)
        afters.append(after)
    x = padded_by(g, x, [*befores, index(g, 0)], [*afters, index(g, 0)])
    return _gathered(g, x, windows, sizes)


def _gathered(g: Graph, x: Value, windows: list[Index], sizes: list[int]) -> Value:
    """Gather (windows, window) places along each spatial axis, and put the windows first."""
    count, channels = len(windows), size_of(g, x, x.rank - 1)
    for number, places in enumerate(windows):
        x = rows_at(g, x, places, 1 + 2 * number)
    numbers = [size_of(g, x, 1 + 2 * n) for n in range(count)]
    permutation = [0, *range(1, 2 * count, 2), *range(2, 2 * count + 1, 2), 2 * count + 1]
    turned = g.op("Transpose", x, shape=tuple(x.shape[a] for a in permutation), perm=permutation)
    depth = channels
    for size in sizes:
        depth = depth * size
    return shaped(g, turned, [size_of(g, x, 0), *numbers, depth])


def spread_windows(size: Index, extent: int, stride: int, padding: bytes) -> tuple[Index, Index, Index]:
    """Return how many windows there are along an axis of `size`, and how many zeros stand before and after it."""
    zero = index(size.g, 0)
    if padding == b"VALID":
        return ((size - (extent - stride)).at_least(0)) // stride, zero, zero
    number = (size + (stride - 1)) // stride
    total = ((number - 1) * stride + extent - size).at_least(0)
    before = total // 2
    return number, before, total - before
