"""Adaptive pooling into a fixed number of windows: window i of k over n places is from floor(i·n/k) to ceil((i+1)·n/k).

Where k divides n along all axes, it is one AveragePool or MaxPool. Else windows have two sizes along an axis: both are pooled,
at every place, and the right ones are gathered, as Keras does.
"""

from __future__ import annotations

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.builder.window import Number, image_order, spread
from exporter.formats.onnx.registry import lowers_function


@lowers_function("nn.adaptive_average_pool")
def adaptive_average_pool(g: Graph, inputs: Value, output_size: Number, data_format: str | None = None) -> Value:
    """The mean of each window."""
    return _adaptive(g, "AveragePool", inputs, output_size, data_format)


@lowers_function("nn.adaptive_max_pool")
def adaptive_max_pool(g: Graph, inputs: Value, output_size: Number, data_format: str | None = None) -> Value:
    """The maximum of each window."""
    return _adaptive(g, "MaxPool", inputs, output_size, data_format)


def _adaptive(g: Graph, kind: str, inputs: Value, output_size: Number, data_format: str | None) -> Value:
    order = image_order(data_format, inputs.rank)
    x = g.in_order(inputs, order).as_filed()
    wanted = spread(output_size, x.rank - 2)
    sizes = [d or 0 for d in x.shape[2:]]
    even = [n // k if n % k == 0 else 1 for n, k in zip(sizes, wanted, strict=True)]
    if max(even) > 1:
        x = _pooled(g, kind, x, even, even)
    for axis, (n, k) in enumerate(zip(sizes, wanted, strict=True)):
        if n % k:
            x = _unevenly(g, kind, x, axis, n, k)
    return x.meant_as(order)


def _unevenly(g: Graph, kind: str, x: Value, axis: int, n: int, k: int) -> Value:
    """Pool one spatial axis into windows of two sizes."""
    starts = [i * n // k for i in range(k)]
    lengths = [-(-(i + 1) * n // k) - start for i, start in enumerate(starts)]
    small, big = min(lengths), max(lengths)
    ones = [1] * (x.rank - 2)
    parts = [_pooled(g, kind, x, [*ones[:axis], size, *ones[axis + 1 :]], ones) for size in (small, big)]
    places = [start + (n - small + 1) * (length == big != small) for start, length in zip(starts, lengths, strict=True)]
    both = parts[0]
    if small != big:
        joined = tuple(2 * n - small - big + 2 if a == axis + 2 else d for a, d in enumerate(x.shape))
        both = g.op("Concat", *parts, axis=axis + 2, shape=joined)
    shape = tuple(k if a == axis + 2 else d for a, d in enumerate(x.shape))
    return g.op("Gather", both, g.constant(places, np.int64), axis=axis + 2, shape=shape)


def _pooled(g: Graph, kind: str, x: Value, size: list[int], strides: list[int]) -> Value:
    spatial = ((d or 0) for d in x.shape[2:])
    shape = (*x.shape[:2], *((n - k) // s + 1 for n, k, s in zip(spatial, size, strides, strict=True)))
    return g.op(kind, x, shape=shape, kernel_shape=size, strides=strides)
