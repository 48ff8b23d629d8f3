"""Cumulative sums and products."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import filled, joined
from exporter.formats.onnx.builder.static import known_int
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.joining import concatenated, split_into
from exporter.formats.onnx.lowerings.array.reshaping import transposed, unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.registry import lowers_op

CHAINED = 64  # factors of a cumulative product that are multiplied one by one


@lowers_op("Cumsum")
def cumulative_sum(g: Graph, op: Any, x: Value, axis: Value) -> Value:
    """CumSum, wherever the axes lie in the file."""
    place = g.constant(x.axis(known_int(axis, "the axis of cumsum")), np.int64)
    exclusive, reverse = int(op.get_attr("exclusive")), int(op.get_attr("reverse"))
    return g.raw("CumSum", x, place, shape=x.shape, dtype=x.dtype, order=x.order, exclusive=exclusive, reverse=reverse)


@lowers_op("Cumprod")
def cumulative_product(g: Graph, op: Any, x: Value, axis: Value) -> Value:
    """One factor after the other, as Keras rounds and overflows: written out, CumProd of opset 26, or Scan.

    Products that share partial ones take log₂ n steps, and make NaN of 1e-30 · 1e-30 · 1e30 · 1e30. Of 1,000 factors CumProd
    takes 0.02 ms, Scan 0.8 (ONNX Runtime 1.32).
    """
    place = known_int(axis, "the axis of cumprod") % x.rank
    length = x.shape[place]
    if length is not None and length <= CHAINED:
        return _chained(g, op, x, place, length)
    return _single(g, op, x, place) if g.supports_opset(26) else _scanned(g, op, x, place)


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


def _single(g: Graph, op: Any, x: Value, axis: int) -> Value:
    exclusive, reverse = int(op.get_attr("exclusive")), int(op.get_attr("reverse"))
    place = g.constant(x.axis(axis), np.int64)
    return g.raw("CumProd", x, place, shape=x.shape, dtype=x.dtype, order=x.order, exclusive=exclusive, reverse=reverse)


def _scanned(g: Graph, op: Any, x: Value, axis: int) -> Value:
    """Return what one multiplication a turn gives.

    The axis is laid first, since ONNX Runtime's Scan divides by 0 where it has to move that of an empty tensor. One of dynamic
    length gets a factor 1 behind, which changes no product: Scan refuses to run over nothing.
    """
    order = [axis, *(a for a in range(x.rank) if a != axis)]
    back = [order.index(a) for a in range(x.rank)]
    factors = g.keras_order(transposed(x, order))
    sizes = [g.dimension(factors, a) for a in range(1, x.rank)]
    one = g.constant(1, x.numpy_dtype)
    start = g.op("Expand", one, joined(g, sizes), shape=factors.shape[1:]) if sizes else one
    if x.shape[axis] is not None:
        return transposed(_turns(g, op, start, factors), back)
    more = g.op("Concat", factors, unsqueezed(g, start, 0), shape=factors.shape, axis=0)
    return transposed(sliced(g, _turns(g, op, start, more), [Range(0, 0, -1)]), back)


def _turns(g: Graph, op: Any, start: Value, factors: Value) -> Value:
    body = g.body()
    before, factor = (body.input(g.unique(name), start.shape, start.dtype) for name in ("product", "factor"))
    after = body.op("Mul", before, factor, shape=start.shape)
    given = before if op.get_attr("exclusive") else after
    way = [int(op.get_attr("reverse"))]
    _, products = g.ops(
        "Scan",
        start,
        factors,
        outputs=[(start.shape, start.dtype), (factors.shape, factors.dtype)],
        num_scan_inputs=1,
        scan_input_directions=way,
        scan_output_directions=way,
        body=body.finish_body("product", [after, given]),
    )
    return products
