"""TensorFlow's elementwise ops that ONNX has under the same or another name, broadcasting alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import Filled, wide
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.registry import lowers_op

SAME = {
    "Abs": "Abs",
    "Add": "Add",
    "AddV2": "Add",
    "Ceil": "Ceil",
    "Cos": "Cos",
    "Div": "Div",
    "Equal": "Equal",
    "Exp": "Exp",
    "Floor": "Floor",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "IsNan": "IsNaN",
    "IsInf": "IsInf",
    "Less": "Less",
    "LessEqual": "LessOrEqual",
    "Log": "Log",
    "LogicalAnd": "And",
    "LogicalNot": "Not",
    "LogicalOr": "Or",
    "Maximum": "Max",
    "Minimum": "Min",
    "Mul": "Mul",
    "Neg": "Neg",
    "RealDiv": "Div",
    "Rint": "Round",
    "Round": "Round",
    "Sigmoid": "Sigmoid",
    "Sign": "Sign",
    "Sin": "Sin",
    "Sqrt": "Sqrt",
    "Sub": "Sub",
    "TruncateDiv": "Div",
}
ON_SIZES = frozenset({"Add", "AddV2", "Sub", "Mul", "Maximum", "Minimum", "Equal", "Greater", "Less"})
ROUNDINGS = frozenset({"Ceil", "Floor", "Rint", "Round"})


@lowers_op(*SAME)
def elementwise(g: Graph, op: Any, *inputs: Value) -> Value:
    """Write the op that ONNX has for it, in whatever axis order the inputs lie; sizes are computed with as int64."""
    if op.type in ROUNDINGS and not inputs[0].is_float:
        return inputs[0]
    if op.type in ON_SIZES:
        inputs = as_sizes(g, inputs)
    return g.elementwise(SAME[op.type], *unfilled(inputs))


def as_sizes(g: Graph, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Return int32 inputs as int64 where that is what they were before TensorFlow narrowed them."""
    if all(g.is_size(x) for x in inputs) and not all(isinstance(x, Constant) for x in inputs):
        return tuple(wide(g, x) for x in inputs)
    return tuple(inputs)


def unfilled(inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Return a scalar for what repeats it in the shape of another input: broadcasting does the same."""
    return tuple(x.scalar if isinstance(x, Filled) and any(x.like is y for y in inputs) else x for x in inputs)


@lowers_op("Identity", "StopGradient", "PreventGradient", "Snapshot", "EnsureShape", "CheckNumerics")
def passed(g: Graph, op: Any, x: Value, *_: Value) -> Value:
    """Nothing to do at inference."""
    return x


@lowers_op("PlaceholderWithDefault")
def passed_default(g: Graph, op: Any, x: Value) -> Value:
    """Nothing else is ever fed."""
    return x


@lowers_op("IdentityN")
def passed_all(g: Graph, op: Any, *inputs: Value) -> list[Value]:
    """Nothing to do at inference."""
    return list(inputs)


@lowers_op("SelectV2", "Select")
def where(g: Graph, op: Any, condition: Value, x: Value, y: Value) -> Value:
    """Where itself: the branch that is not chosen may be NaN or infinite."""
    if op.type == "Select" and condition.rank == 1 < x.rank:
        for axis in range(1, x.rank):
            condition = unsqueezed(g, condition, axis)
    x, y = as_sizes(g, (x, y))
    _, x, y = unfilled((condition, x, y))
    return g.elementwise("Where", condition, x, y, dtype=x.dtype)


@lowers_op("NotEqual")
def not_equal(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """NaN differs from everything."""
    return g.elementwise("Not", g.elementwise("Equal", *unfilled(as_sizes(g, (x, y)))))


@lowers_op("IsFinite")
def is_finite(g: Graph, op: Any, x: Value) -> Value:
    """|x| < ∞, which NaN is not."""
    return g.elementwise("Less", g.elementwise("Abs", x), g.constant(np.inf, x.numpy_dtype))


@lowers_op("Square")
def square(g: Graph, op: Any, x: Value) -> Value:
    """Return x · x."""
    return g.elementwise("Mul", x, x)


@lowers_op("SquaredDifference")
def squared_difference(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """(x - y)²."""
    return square(g, op, g.elementwise("Sub", x, y))


@lowers_op("Reciprocal", "Inv")
def reciprocal(g: Graph, op: Any, x: Value) -> Value:
    """1 / x."""
    return g.elementwise("Reciprocal", x)


@lowers_op("Rsqrt")
def rsqrt(g: Graph, op: Any, x: Value) -> Value:
    """1 / √x."""
    return g.elementwise("Reciprocal", g.elementwise("Sqrt", x))


@lowers_op("AddN", "AccumulateNV2")
def add_all(g: Graph, op: Any, *inputs: Value) -> Value:
    """The sum of several tensors."""
    total = inputs[0]
    for x in inputs[1:]:
        total = g.elementwise("Add", total, x)
    return total


@lowers_op("Pow")
def power(g: Graph, op: Any, x: Value, exponent: Value) -> Value:
    """Compute x ** y; squares and cubes of integers by multiplication, which wraps as TensorFlow's power does."""
    if not x.is_float and isinstance(exponent, Constant) and exponent.size == 1 and exponent.array.item() in (2, 3):
        squared = g.elementwise("Mul", x, x)
        return squared if exponent.array.item() == 2 else g.elementwise("Mul", squared, x)
    return g.elementwise("Pow", x, exponent)


@lowers_op("DivNoNan")
def divide_no_nan(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """Compute x / y, and 0 where y is 0."""
    zero = g.constant(0, x.numpy_dtype)
    return g.elementwise("Where", g.elementwise("Equal", y, zero), zero, g.elementwise("Div", x, y), dtype=x.dtype)


@lowers_op("MulNoNan", "Xdivy", "Xlogy")
def absorbing_zero(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """Compute x · y with 0 where y is 0; x / y and x · log y with 0 where x is 0."""
    zero = g.constant(0, x.numpy_dtype)
    if op.type == "MulNoNan":
        return g.elementwise("Where", g.elementwise("Equal", y, zero), zero, g.elementwise("Mul", x, y), dtype=x.dtype)
    kind, operand = ("Div", y) if op.type == "Xdivy" else ("Mul", g.elementwise("Log", y))
    result = g.elementwise(kind, x, operand)
    return g.elementwise("Where", g.elementwise("Equal", x, zero), zero, result, dtype=x.dtype)


@lowers_op("ClipByValue")
def clip(g: Graph, op: Any, x: Value, low: Value, high: Value) -> Value:
    """min(max(x, low), high)."""
    return g.elementwise("Min", g.elementwise("Max", x, low), high)


@lowers_op("BiasAdd")
def bias_add(g: Graph, op: Any, x: Value, bias: Value) -> Value:
    """Add a vector along the last axis, or along axis 1 for NCHW."""
    if op.get_attr("data_format") == b"NCHW":
        for axis in range(1, x.rank - 1):
            bias = unsqueezed(g, bias, axis)
    return g.elementwise("Add", x, bias)
