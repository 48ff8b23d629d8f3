"""Operations on the bits of integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_op
from exporter.lowerings.onnx.value import Value

UNSIGNED = {
    ir.DataType.INT8: ir.DataType.UINT8,
    ir.DataType.INT16: ir.DataType.UINT16,
    ir.DataType.INT32: ir.DataType.UINT32,
    ir.DataType.INT64: ir.DataType.UINT64,
}


@lowers_op("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bitwise(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """The op of the same name, of opset 18."""
    if not g.wants(18):
        raise NotImplementedError(f"{op.type} needs opset 18")
    return g.elementwise(op.type, x, y)


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
    """X · 2ⁿ modulo the width: BitShift of the same bits without sign."""
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
