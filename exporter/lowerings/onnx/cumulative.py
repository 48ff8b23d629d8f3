"""Cumulative sums and products."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.joining import concatenated, split_into
from exporter.lowerings.onnx.registry import lowers_op
from exporter.lowerings.onnx.sizes import filled
from exporter.lowerings.onnx.slicing import FIRST, LAST, Range, sliced
from exporter.lowerings.onnx.static import known_int
from exporter.lowerings.onnx.value import Value

CHAINED = 64  # factors of a cumulative product that are multiplied one by one


@lowers_op("Cumsum")
def cumulative_sum(g: Graph, op: Any, x: Value, axis: Value) -> Value:
    """CumSum, wherever the axes lie in the file."""
    place = g.constant(x.axis(known_int(axis, "the axis of cumsum")), np.int64)
    exclusive, reverse = int(op.get_attr("exclusive")), int(op.get_attr("reverse"))
    return g.raw("CumSum", x, place, shape=x.shape, dtype=x.dtype, order=x.order, exclusive=exclusive, reverse=reverse)


@lowers_op("Cumprod")
def cumulative_product(g: Graph, op: Any, x: Value, axis: Value) -> Value:
    """CumProd is of opset 26; below, one factor after the other, as Keras rounds and overflows.

    Of many factors the product with what stands 1, 2, 4, … places before takes log₂ n steps.
    """
    place = known_int(axis, "the axis of cumprod") % x.rank
    length = x.shape[place]
    if length is None:
        return _cumprod(g, op, x, place)
    if length <= CHAINED:
        return _chained(g, op, x, place, length)
    backwards = [Range(place, LAST, FIRST, -1)]
    y = sliced(g, x, backwards) if op.get_attr("reverse") else x
    if op.get_attr("exclusive"):
        y = _delayed(g, y, place, 1)
    step = 1
    while step < length:
        y = g.elementwise("Mul", y, _delayed(g, y, place, step))
        step *= 2
    return sliced(g, y, backwards) if op.get_attr("reverse") else y


def _chained(g: Graph, op: Any, x: Value, axis: int, length: int) -> Value:
    """Return the products of one factor more at a time."""
    if length == 0:
        return x
    way = -1 if op.get_attr("reverse") else 1
    factors = split_into(g, x, axis, [1] * length)[::way]
    if op.get_attr("exclusive"):
        factors = [filled(g, g.constant(1, x.numpy_dtype), factors[0]), *factors[:-1]]
    products = list(accumulate(factors, lambda product, factor: g.elementwise("Mul", product, factor)))
    return concatenated(g, products[::way], axis, x.shape)


def _delayed(g: Graph, x: Value, axis: int, step: int) -> Value:
    """Return `x` moved `step` places along `axis`, ones before it."""
    kept = sliced(g, x, [Range(axis, 0, -step)])
    pads = np.zeros(2 * x.rank, np.int64)
    pads[x.axis(axis)] = step
    one = g.constant(1, x.numpy_dtype)
    return g.raw("Pad", kept, g.constant(pads), one, shape=x.shape, dtype=x.dtype, order=x.order, mode="constant")


def _cumprod(g: Graph, op: Any, x: Value, axis: int) -> Value:
    if not g.wants(26):
        raise NotImplementedError("a cumulative product along an axis of dynamic length needs opset 26")
    exclusive, reverse = int(op.get_attr("exclusive")), int(op.get_attr("reverse"))
    place = g.constant(x.axis(axis), np.int64)
    return g.raw("CumProd", x, place, shape=x.shape, dtype=x.dtype, order=x.order, exclusive=exclusive, reverse=reverse)
