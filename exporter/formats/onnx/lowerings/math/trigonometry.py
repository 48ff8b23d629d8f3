"""Circular and hyperbolic functions. ONNX Runtime has most of them for float32 only; for float64 they are composed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.math.logarithm import expm1, log1p
from exporter.formats.onnx.registry import lowers_op

BEYOND = 1e18  # where the arcs of a tangent are ±π/2 to the last digit, and squares still do not overflow
HUGE = 1e8  # where x² + 1 is x²


def _double(x: Value) -> bool:
    return x.dtype == ir.DataType.DOUBLE


@lowers_op("Tan")
def tan(g: Graph, op: Any, x: Value) -> Value:
    """Tan; for float64 sin x / cos x."""
    if not _double(x):
        return g.elementwise("Tan", x)
    return g.elementwise("Div", g.elementwise("Sin", x), g.elementwise("Cos", x))


@lowers_op("Sinh")
def sinh(g: Graph, op: Any, x: Value) -> Value:
    """Sinh; for float64 from expm1 near 0, from the powers of exp(x / 2), which do not overflow early, elsewhere."""
    if not _double(x):
        return g.elementwise("Sinh", x)
    e = expm1(g, x)
    near = _half(g, g.elementwise("Add", e, g.elementwise("Div", e, g.elementwise("Add", e, 1.0))))
    up, down = _half_powers(g, x)
    small = g.elementwise("Less", g.elementwise("Abs", x), 1.0)
    return g.elementwise("Where", small, near, g.elementwise("Sub", up, down), dtype=x.dtype)


@lowers_op("Cosh")
def cosh(g: Graph, op: Any, x: Value) -> Value:
    """Cosh; for float64 (eˣ + e⁻ˣ) / 2."""
    if not _double(x):
        return g.elementwise("Cosh", x)
    return g.elementwise("Add", *_half_powers(g, x))


def _half(g: Graph, x: Value) -> Value:
    return g.elementwise("Mul", x, 0.5)


def _half_powers(g: Graph, x: Value) -> tuple[Value, Value]:
    """Return eˣ / 2 and e⁻ˣ / 2, each as a product of roots, so that it overflows no earlier than it must."""
    roots = [g.elementwise("Exp", g.elementwise("Mul", x, factor)) for factor in (0.5, -0.5)]
    up, down = (g.elementwise("Mul", _half(g, root), root) for root in roots)
    return up, down


@lowers_op("Asinh")
def asinh(g: Graph, op: Any, x: Value) -> Value:
    """Asinh; for float64 log1p(|x| + x² / (1 + √(x² + 1))) with the sign of x."""
    if not _double(x):
        return g.elementwise("Asinh", x)
    size = g.elementwise("Abs", x)
    bounded = g.elementwise("Min", size, HUGE)
    square = g.elementwise("Mul", bounded, bounded)
    root = g.elementwise("Sqrt", g.elementwise("Add", square, 1.0))
    near = log1p(g, g.elementwise("Add", bounded, g.elementwise("Div", square, g.elementwise("Add", root, 1.0))))
    return g.elementwise("Mul", g.elementwise("Sign", x), _or_log_of_double(g, size, near))


@lowers_op("Acosh")
def acosh(g: Graph, op: Any, x: Value) -> Value:
    """Acosh; for float64 log1p(t + √t · √(t + 2)) with t = x - 1."""
    if not _double(x):
        return g.elementwise("Acosh", x)
    t = g.elementwise("Sub", g.elementwise("Min", x, 2 * HUGE), 1.0)
    roots = g.elementwise("Mul", g.elementwise("Sqrt", t), g.elementwise("Sqrt", g.elementwise("Add", t, 2.0)))
    return _or_log_of_double(g, x, log1p(g, g.elementwise("Add", t, roots)))


def _or_log_of_double(g: Graph, x: Value, near: Value) -> Value:
    """Return log(2x) where x is huge, else `near`."""
    far = g.elementwise("Add", g.elementwise("Log", x), math.log(2))
    return g.elementwise("Where", g.elementwise("Greater", x, HUGE), far, near, dtype=x.dtype)


@lowers_op("Atanh")
def atanh(g: Graph, op: Any, x: Value) -> Value:
    """Atanh; for float64 log1p(2x / (1 - x)) / 2."""
    if not _double(x):
        return g.elementwise("Atanh", x)
    ratio = g.elementwise("Div", g.elementwise("Add", x, x), g.elementwise("Sub", g.constant(1.0), x))
    return _half(g, log1p(g, ratio))


@lowers_op("Atan")
def atan(g: Graph, op: Any, x: Value) -> Value:
    """Atan; for float64 the float32 result y and the arc that is missing, (x cos y - sin y) / (cos y + x sin y)."""
    return _atan(g, x)


def _atan(g: Graph, x: Value) -> Value:
    if not _double(x):
        return g.elementwise("Atan", x)
    rough = g.cast(g.elementwise("Atan", g.cast(x, ir.DataType.FLOAT)), x.dtype)
    sine, cosine = g.elementwise("Sin", rough), g.elementwise("Cos", rough)
    above = g.elementwise("Sub", g.elementwise("Mul", x, cosine), sine)
    below = g.elementwise("Add", cosine, g.elementwise("Mul", x, sine))
    fine = g.elementwise("Add", rough, g.elementwise("Div", above, below))
    quarter = g.elementwise("Mul", g.elementwise("Sign", x), math.pi / 2)
    far = g.elementwise("Greater", g.elementwise("Abs", x), BEYOND)
    return g.elementwise("Where", far, quarter, fine, dtype=x.dtype)


@lowers_op("Asin")
def asin(g: Graph, op: Any, x: Value) -> Value:
    """Asin; for float64 atan(x / √((1 - x)(1 + x)))."""
    if not _double(x):
        return g.elementwise("Asin", x)
    one = g.constant(1.0)
    product = g.elementwise("Mul", g.elementwise("Sub", one, x), g.elementwise("Add", one, x))
    return _atan(g, g.elementwise("Div", x, g.elementwise("Sqrt", product)))


@lowers_op("Acos")
def acos(g: Graph, op: Any, x: Value) -> Value:
    """Acos; for float64 2 atan √((1 - x) / (1 + x))."""
    if not _double(x):
        return g.elementwise("Acos", x)
    one = g.constant(1.0)
    ratio = g.elementwise("Div", g.elementwise("Sub", one, x), g.elementwise("Add", one, x))
    return g.elementwise("Mul", _atan(g, g.elementwise("Sqrt", ratio)), 2.0)


@lowers_op("Atan2")
def atan2(g: Graph, op: Any, y: Value, x: Value) -> Value:
    """The angle of the point (x, y), from atan(|y| / |x|) and the two signs, also those of zeros."""
    zero, one = g.constant(0, x.numpy_dtype), g.constant(1, x.numpy_dtype)
    height, width = g.elementwise("Abs", y), g.elementwise("Abs", x)
    slope = g.elementwise("Div", height, width)
    slope = g.elementwise("Where", g.elementwise("Equal", height, width), one, slope, dtype=x.dtype)  # ∞ / ∞
    flat = g.elementwise("And", g.elementwise("Equal", height, zero), g.elementwise("Equal", x, x))
    angle = _atan(g, g.elementwise("Where", flat, zero, slope, dtype=x.dtype))  # 0 / 0
    left = g.elementwise("Sub", g.constant(math.pi, x.numpy_dtype), angle)
    angle = g.elementwise("Where", negative(g, x), left, angle, dtype=x.dtype)
    return g.elementwise("Where", negative(g, y), g.elementwise("Neg", angle), angle, dtype=x.dtype)


def negative(g: Graph, x: Value) -> Value:
    """Return whether the sign of floats is minus, which that of -0 is: 1 / -0 is -∞."""
    zero = g.constant(0, x.numpy_dtype)
    below = g.elementwise("Less", g.elementwise("Reciprocal", x), zero)
    minus_infinity = g.elementwise("Equal", x, g.constant(-np.inf, x.numpy_dtype))
    return g.elementwise("Or", below, minus_infinity)
