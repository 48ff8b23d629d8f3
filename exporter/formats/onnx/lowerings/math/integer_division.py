"""Division of integers as Python and TensorFlow round it: towards minus infinity, with remainders of the divisor's sign."""

from __future__ import annotations

from typing import Any

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.math.elementwise import as_sizes
from exporter.formats.onnx.registry import lowers_op


@lowers_op("FloorDiv")
def floor_divide(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """⌊x / y⌋. ONNX's Div truncates: one less where there is a remainder and the signs differ."""
    if x.is_float:
        return g.elementwise("Floor", g.elementwise("Div", x, y))
    x, y = as_sizes(g, (x, y))
    if not x.dtype.is_signed():
        return g.elementwise("Div", x, y)
    if isinstance(y, Constant) and (y.array > 0).all():
        return _by_positive(g, x, y)
    zero = g.constant(0, x.numpy_dtype)
    inexact = g.elementwise("Not", g.elementwise("Equal", g.elementwise("Mod", x, y), zero))
    opposed = g.elementwise("Xor", g.elementwise("Less", x, zero), g.elementwise("Less", y, zero))
    correction = g.cast(g.elementwise("And", inexact, opposed), x.dtype)
    return g.elementwise("Sub", g.elementwise("Div", x, y), correction)


def _by_positive(g: Graph, x: Value, y: Constant) -> Value:
    """⌊x / y⌋ for y > 0: x // y where x ≥ 0, else -1 - (-1 - x) // y, in which nothing overflows."""
    zero, minus_one = g.constant(0, x.numpy_dtype), g.constant(-1, x.numpy_dtype)
    if (y.array == 1).all():
        return x
    mirrored = g.elementwise("Div", g.elementwise("Sub", minus_one, x), y)
    negative = g.elementwise("Sub", minus_one, mirrored)
    return g.elementwise("Where", g.elementwise("Less", x, zero), negative, g.elementwise("Div", x, y), dtype=x.dtype)


@lowers_op("FloorMod")
def floor_mod(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """Compute x - y · ⌊x / y⌋: ONNX's Mod on integers; on floats C's remainder, plus y where its sign differs from y's."""
    if not x.is_float:
        return g.elementwise("Mod", *as_sizes(g, (x, y)))
    zero = g.constant(0, x.numpy_dtype)
    remainder = g.elementwise("Mod", x, y, fmod=1)
    inexact = g.elementwise("Not", g.elementwise("Equal", remainder, zero))
    opposed = g.elementwise("Xor", g.elementwise("Less", remainder, zero), g.elementwise("Less", y, zero))
    wrong = g.elementwise("And", inexact, opposed)
    return g.elementwise("Where", wrong, g.elementwise("Add", remainder, y), remainder, dtype=x.dtype)


@lowers_op("Mod", "TruncateMod")
def truncate_mod(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """C's remainder: it has the sign of x."""
    return g.elementwise("Mod", x, y, fmod=1)
