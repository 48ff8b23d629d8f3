"""Operations on the bits of integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, unsqueezed
from exporter.formats.onnx.registry import lowers_op

UNSIGNED = {
    ir.DataType.INT8: ir.DataType.UINT8,
    ir.DataType.INT16: ir.DataType.UINT16,
    ir.DataType.INT32: ir.DataType.UINT32,
    ir.DataType.INT64: ir.DataType.UINT64,
}


@lowers_op("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bitwise(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """The op of the same name."""
    return combined(g, op.type, x, y)


def combined(g: Graph, kind: str, x: Value, y: Value) -> Value:
    """Write BitwiseAnd, BitwiseOr or BitwiseXor: ops of opset 18, below it arithmetic of uint64.

    "And" is a = Σ 2ᵏ · (bit k of x) · (bit k of y), "or" is x + y - a, "exclusive or" is x + y - 2 a.
    """
    if g.supports_opset(18):
        return g.elementwise(kind, x, y)
    a, b = (g.keras_order(g.cast(v, ir.DataType.UINT64)) for v in (x, y))
    both = _common_bits(g, a, b, np.iinfo(x.numpy_dtype).bits)
    if kind == "BitwiseAnd":
        return g.cast(both, x.dtype)
    missing = both if kind == "BitwiseOr" else g.op("Add", both, both)
    return g.cast(g.op("Sub", g.op("Add", a, b), missing), x.dtype)


def _common_bits(g: Graph, x: Value, y: Value, width: int) -> Value:
    places, two = g.constant(np.arange(width, dtype=np.uint64)), g.constant(2, np.uint64)
    bits = [g.op("Mod", g.op("BitShift", unsqueezed(g, v, v.rank), places, direction="RIGHT"), two) for v in (x, y)]
    product = g.op("Mul", *bits)
    weights = g.constant(np.uint64(1) << np.arange(width, dtype=np.uint64).reshape(width, 1))
    summed = g.op("MatMul", product, weights, shape=(*product.shape[:-1], 1))  # ReduceSum has no uint64
    return squeezed(g, summed, [summed.rank - 1])


@lowers_op("Invert")
def invert(g: Graph, op: Any, x: Value) -> Value:
    """-1 - x, or the largest number minus x where there are no negative ones."""
    return inverted(g, x)


def inverted(g: Graph, x: Value) -> Value:
    """Return integers with all bits flipped."""
    all_bits = -1 if x.dtype.is_signed() else np.iinfo(x.numpy_dtype).max
    return g.elementwise("Sub", g.constant(all_bits, x.numpy_dtype), x)


@lowers_op("LeftShift")
def left_shift(g: Graph, op: Any, x: Value, count: Value) -> Value:
    """Compute x · 2ⁿ modulo the width: BitShift of the same bits without sign."""
    return g.cast(_shifted(g, x, count, "LEFT"), x.dtype)


@lowers_op("RightShift")
def right_shift(g: Graph, op: Any, x: Value, count: Value) -> Value:
    """⌊x / 2ⁿ⌋: for negative x the bits are flipped before and after."""
    if not x.dtype.is_signed():
        return _shifted(g, x, count, "RIGHT")
    negative = g.elementwise("Less", x, g.constant(0, x.numpy_dtype))
    magnitude = g.elementwise("Where", negative, inverted(g, x), x, dtype=x.dtype)
    shifted = g.cast(_shifted(g, magnitude, count, "RIGHT"), x.dtype)
    return g.elementwise("Where", negative, inverted(g, shifted), shifted, dtype=x.dtype)


def _shifted(g: Graph, x: Value, count: Value, direction: str) -> Value:
    """Shift the bits of `x`, as unsigned integers; TensorFlow limits the count to the width less one."""
    width = np.iinfo(x.numpy_dtype).bits
    low, high = (g.constant(n, x.numpy_dtype) for n in (0, width - 1))
    limited = g.elementwise("Min", g.elementwise("Max", count, low), high)
    kind = UNSIGNED.get(x.dtype, x.dtype)
    return g.elementwise("BitShift", g.cast(x, kind), g.cast(limited, kind), direction=direction)
