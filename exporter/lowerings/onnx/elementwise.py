"""TensorFlow's elementwise ops that ONNX has under the same or another name, broadcasting alike."""

from __future__ import annotations

from typing import Any

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_op
from exporter.lowerings.onnx.value import Value

SAME = {
    "Abs": "Abs",
    "Acos": "Acos",
    "Acosh": "Acosh",
    "Add": "Add",
    "AddV2": "Add",
    "Asin": "Asin",
    "Asinh": "Asinh",
    "Atan": "Atan",
    "Atanh": "Atanh",
    "Ceil": "Ceil",
    "Cos": "Cos",
    "Cosh": "Cosh",
    "Div": "Div",
    "Equal": "Equal",
    "Erf": "Erf",
    "Exp": "Exp",
    "Floor": "Floor",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "IsNan": "IsNaN",
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
    "Pow": "Pow",
    "RealDiv": "Div",
    "Reciprocal": "Reciprocal",
    "Relu": "Relu",
    "Rint": "Round",
    "Round": "Round",
    "Sigmoid": "Sigmoid",
    "Sign": "Sign",
    "Sin": "Sin",
    "Sinh": "Sinh",
    "Sqrt": "Sqrt",
    "Sub": "Sub",
    "Tan": "Tan",
    "Tanh": "Tanh",
}


@lowers_op(*SAME)
def elementwise(g: Graph, op: Any, *inputs: Value) -> Value:
    """Write the op that ONNX has for it, in whatever axis order the inputs lie."""
    return g.elementwise(SAME[op.type], *inputs)


@lowers_op("Identity", "StopGradient", "PreventGradient", "Snapshot", "EnsureShape", "CheckNumerics")
def passed(g: Graph, op: Any, x: Value, *_: Value) -> Value:
    """Nothing to do at inference."""
    return x


@lowers_op("IdentityN")
def passed_all(g: Graph, op: Any, *inputs: Value) -> list[Value]:
    """Nothing to do at inference."""
    return list(inputs)


@lowers_op("SelectV2", "Select")
def where(g: Graph, op: Any, condition: Value, x: Value, y: Value) -> Value:
    """Where itself: the branch that is not chosen may be NaN or infinite."""
    return g.elementwise("Where", condition, x, y, dtype=x.dtype)


@lowers_op("Square")
def square(g: Graph, op: Any, x: Value) -> Value:
    """Return x · x."""
    return g.elementwise("Mul", x, x)


@lowers_op("BiasAdd")
def bias_add(g: Graph, op: Any, x: Value, bias: Value) -> Value:
    """Add a vector along the last axis, or along axis 1 for NCHW."""
    if op.get_attr("data_format") == b"NCHW" and x.rank > 2:
        shape = (bias.shape[0], *[1] * (x.rank - 2))
        bias = g.op("Reshape", bias, g.constant([-1, *shape[1:]], "int64"), shape=shape)
    return g.elementwise("Add", x, bias)
