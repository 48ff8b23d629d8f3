"""Rounding to the numbers of an integer grid, as training for quantization does it: FakeQuant…, QuantizeAndDequantize….

Calculated in TensorFlow's order and in float32, its nudged ranges and its rounding (floor(x + ½)) included, so that no number
falls on another side of a tie.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.static import known
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.registry import lowers_op

FLOAT32 = np.float32


@lowers_op("FakeQuantWithMinMaxArgs")
def between_attributes(g: Graph, op: Any, x: Value) -> Value:
    """A range that is part of the op."""
    return _rounded(g, op, x, *(np.array(op.get_attr(name), FLOAT32) for name in ("min", "max")))


@lowers_op("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")
def between(g: Graph, op: Any, x: Value, low: Value, high: Value) -> Value:
    """A range, or one for each place of the last axis, of variables."""
    if not isinstance(low, Constant) or not isinstance(high, Constant):
        raise NotImplementedError(
            "the range is computed by the model; keep it in a variable that training sets, as quantizers do"
        )
    return _rounded(g, op, x, low.array.astype(FLOAT32), high.array.astype(FLOAT32))


def _rounded(g: Graph, op: Any, x: Value, low: np.ndarray, high: np.ndarray) -> Value:
    bits, first = op.get_attr("num_bits"), int(op.get_attr("narrow_range"))
    least, most, scale = _nudged(low, high, FLOAT32(first), FLOAT32(2**bits - 1))
    inverse = (FLOAT32(2**bits - 1) - first) / (high - low)
    zero = np.floor(-least * inverse + FLOAT32(0.5))
    clipped = g.op("Max", g.op("Min", x, most), least)
    shifted = g.op("Sub", clipped, least)
    steps = g.op("Mul", shifted, inverse) if op.type.endswith("Args") else g.op("Div", shifted, scale)
    whole = g.op("Floor", g.op("Add", g.op("Sub", steps, zero), 0.5))
    y = g.op("Mul", whole, scale)
    empty = np.logical_and(low == 0, high == 0)
    if op.type == "FakeQuantWithMinMaxVars" and empty.all():
        return g.op("Mul", x, g.constant(0, np.float32))
    return y


def _nudged(low: np.ndarray, high: np.ndarray, first: Any, last: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the range moved so that 0 is on the grid, and the step of the grid."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = ((high - low) / (last - first)).astype(FLOAT32)
        zero = first - low / scale
    rounded = np.where(
        zero < first, first, np.where(zero > last, last, np.floor(np.abs(zero) + FLOAT32(0.5)) * np.sign(zero))
    )
    rounded = rounded.astype(FLOAT32)
    return (first - rounded) * scale, (last - rounded) * scale, scale


@lowers_op("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV4")
def there_and_back(g: Graph, op: Any, x: Value, low: Value, high: Value) -> Value:
    """Multiply, round, divide, within a range that is given or that of the tensor itself."""
    return _there_and_back(g, op, x, low, high, op.get_attr("num_bits"))


@lowers_op("QuantizeAndDequantizeV3")
def there_and_back_in_bits(g: Graph, op: Any, x: Value, low: Value, high: Value, bits: Value) -> Value:
    """The number of bits is an input."""
    return _there_and_back(g, op, x, low, high, int(known(bits, "the number of bits")))


def _there_and_back(g: Graph, op: Any, x: Value, low: Value, high: Value, bits: int) -> Value:
    given, axis = op.get_attr("range_given"), op.get_attr("axis")
    if not given:
        axes = [a for a in range(x.rank) if axis < 0 or a != axis]
        sizes = (x.shape[axis],) if axis >= 0 else ()
        low, high = (
            g.op(kind, x, g.constant(axes, np.int64), shape=sizes, keepdims=0) for kind in ("ReduceMin", "ReduceMax")
        )
    if axis >= 0:
        behind = [-1, *[1] * (x.rank - 1 - axis)]
        low, high = (_laid(g, v, behind) for v in (low, high))
    scale, inverse, least, most = _scales(g, op, low, high, bits)
    held = g.op("Max", g.op("Min", x, most), least) if given else x
    scaled = g.op("Mul", held, scale)
    half_up = _rounds(op) and op.get_attr("round_mode") == b"HALF_UP"
    whole = g.op("Floor", g.op("Add", scaled, 0.5)) if half_up else g.op("Round", scaled)
    return g.op("Mul", whole, inverse)


def _rounds(op: Any) -> bool:
    """Whether the op says how to round; else to the even one of two neighbours."""
    return any(attribute.name == "round_mode" for attribute in op.op_def.attr)


def _laid(g: Graph, v: Value, target: list[int]) -> Value:
    shape = (v.shape[0], *target[1:])
    if isinstance(v, Constant):
        return v.reshape(*(int(n or 0) for n in shape))
    return g.op("Reshape", v, g.constant(target, np.int64), shape=shape)


def _scales(g: Graph, op: Any, low: Value, high: Value, bits: int) -> tuple[Value, Value, Value, Value]:
    """Return steps per unit, units per step, and the range that the grid covers: the larger side of the range decides."""
    signed = op.get_attr("signed_input")
    first = -(2 ** (bits - 1)) + int(op.get_attr("narrow_range")) if signed else 0
    last = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    largest = g.constant(np.finfo(low.numpy_dtype).max, low.numpy_dtype)
    zero = g.constant(0, low.numpy_dtype)
    sides = []
    for number, bound in ((first, low), (last, high)):
        positive = g.op("Greater", g.op("Mul", bound, float(number)), zero)
        safe = g.op("Where", positive, bound, g.constant(1, low.numpy_dtype), dtype=low.dtype)
        sides.append(
            g.op("Where", positive, g.op("Div", g.constant(number, low.numpy_dtype), safe), largest, dtype=low.dtype)
        )
    by_low = g.op("Less", *sides)
    per_low = g.op("Div", low, float(first)) if first else zero
    inverse = g.op("Where", by_low, per_low, g.op("Div", high, float(last)), dtype=low.dtype)
    scale = g.op("Where", by_low, *sides, dtype=low.dtype)
    least = g.op("Where", by_low, low, g.op("Mul", inverse, float(first)), dtype=low.dtype)
    most = g.op("Where", by_low, g.op("Mul", inverse, float(last)), high, dtype=low.dtype)
    return scale, inverse, least, most
