"""Special functions that ONNX lacks: erfc, its inverse, Bessel's I₀, and erf for float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.math import polynomial
from exporter.formats.onnx.registry import lowers_op


def _double(x: Value) -> bool:
    return x.dtype == ir.DataType.DOUBLE


def _where(g: Graph, condition: Value, x: Any, y: Any, like: Value) -> Value:
    x, y = (g.value_of(v, like) for v in (x, y))
    return g.elementwise("Where", condition, x, y, dtype=like.dtype)


@lowers_op("Erf")
def tf_erf(g: Graph, op: Any, x: Value) -> Value:
    """The error function."""
    return erf(g, x)


def erf(g: Graph, x: Value) -> Value:
    """Erf; for float64 x · P(x²) up to |x| = 1 and beyond ±(1 - erfc |x|)."""
    if not _double(x):
        return g.elementwise("Erf", x)
    size = g.elementwise("Abs", x)
    square = g.elementwise("Min", g.elementwise("Mul", x, x), g.constant(1.0))
    near = g.elementwise("Mul", x, polynomial.ERF64(g, square))
    far = g.elementwise("Mul", g.elementwise("Sign", x), g.elementwise("Sub", g.constant(1.0), _erfc_of_size(g, size)))
    return _where(g, g.elementwise("Less", size, 1.0), near, far, x)


@lowers_op("Erfc")
def tf_erfc(g: Graph, op: Any, x: Value) -> Value:
    """1 - erf x."""
    return erfc(g, x)


def erfc(g: Graph, x: Value) -> Value:
    """Compute t · exp(-x² + P(t)) with t = 1 / (1 + |x| / 2), right in the tail; 2 less that for x < 0."""
    upper = _erfc_of_size(g, g.elementwise("Abs", x))
    lower = g.elementwise("Sub", g.constant(2, x.numpy_dtype), upper)
    return _where(g, g.elementwise("Less", x, 0), lower, upper, x)


def _erfc_of_size(g: Graph, size: Value) -> Value:
    t = g.elementwise("Reciprocal", g.elementwise("Add", g.elementwise("Mul", size, 0.5), 1))
    logarithm = (polynomial.ERFC64 if _double(size) else polynomial.ERFC)(g, t)
    exponent = g.elementwise("Sub", logarithm, g.elementwise("Mul", size, size))
    return g.elementwise("Mul", t, g.elementwise("Exp", exponent))


@lowers_op("Erfinv")
def erfinv(g: Graph, op: Any, x: Value) -> Value:
    """The inverse of erf: x · P(w) with w = -log(1 - x²), or of √w in the tails; ±∞ at ±1, NaN beyond.

    For float64 two steps of Halley's method follow, on erfc in the upper half, where 1 - |x| is exact.
    """
    size = g.elementwise("Abs", x)
    left = g.elementwise("Sub", g.constant(1, x.numpy_dtype), size)
    w = g.elementwise("Neg", g.elementwise("Log", g.elementwise("Mul", left, g.elementwise("Add", size, 1))))
    limit = g.constant(38 if _double(x) else 17, x.numpy_dtype)
    inner = g.elementwise("Min", w, limit)
    tail = polynomial.ERFINV_TAIL64 if _double(x) else polynomial.ERFINV_TAIL
    near = polynomial.ERFINV_MIDDLE(g, inner)
    far = tail(g, g.elementwise("Sqrt", g.elementwise("Abs", inner)))  # w is -0.0 or a rounding below 0 at 0
    y = g.elementwise("Mul", size, _where(g, g.elementwise("Less", inner, 5), near, far, x))
    if _double(x):
        y = _halley(g, _halley(g, y, size, left), size, left)
    y = _where(g, g.elementwise("Equal", left, 0), np.inf, y, x)
    return g.elementwise("Mul", y, g.elementwise("Sign", x))


def _halley(g: Graph, y: Value, size: Value, left: Value) -> Value:
    """One step of Halley's method towards erf y = size, with left = 1 - size."""
    lower = g.elementwise("Sub", erf(g, y), size)
    upper = g.elementwise("Sub", left, _erfc_of_size(g, y))
    excess = _where(g, g.elementwise("Less", size, 0.5), lower, upper, y)
    slope = g.elementwise("Exp", g.elementwise("Mul", y, y))
    step = g.elementwise("Mul", g.elementwise("Mul", excess, slope), math.sqrt(math.pi) / 2)
    return g.elementwise("Sub", y, g.elementwise("Div", step, g.elementwise("Add", g.elementwise("Mul", y, step), 1)))


@lowers_op("BesselI0", "BesselI0e")
def bessel_i0(g: Graph, op: Any, x: Value) -> Value:
    """I₀(x), the modified Bessel function; I0e is that times exp(-|x|)."""
    size = g.elementwise("Abs", x)
    double = _double(x)
    near = (polynomial.I0_MIDDLE64 if double else polynomial.I0_MIDDLE)(g, g.elementwise("Min", size, 8))
    outer = g.elementwise("Max", size, 8)
    series = (polynomial.I0_TAIL64 if double else polynomial.I0_TAIL)(g, g.elementwise("Reciprocal", outer))
    far = g.elementwise("Div", series, g.elementwise("Sqrt", outer))
    scaled = _where(g, g.elementwise("Less", size, 8), near, far, x)
    if op.type == "BesselI0e":
        return scaled
    root = g.elementwise("Exp", g.elementwise("Mul", size, 0.5))  # eˣ as a product: it overflows later than I₀
    return g.elementwise("Mul", g.elementwise("Mul", scaled, root), root)


@lowers_op("NextAfter")
def next_after(g: Graph, op: Any, x: Value, y: Value) -> Value:
    """The neighbour of x towards y: adding between half and one unit in the last place rounds to it."""
    info = np.finfo(x.numpy_dtype)
    unit = g.elementwise("Mul", g.elementwise("Abs", x), float(info.epsneg) * (1 + 2.0**-20))
    step = g.elementwise("Max", unit, g.constant(info.smallest_subnormal, x.numpy_dtype))
    direction = g.elementwise("Sign", g.elementwise("Sub", y, x))
    moved = g.elementwise("Add", x, g.elementwise("Mul", step, direction))
    largest = g.elementwise("Mul", g.elementwise("Sign", x), float(info.max))
    infinite = g.elementwise("IsInf", x)
    moved = _where(g, infinite, largest, moved, x)
    return _where(g, g.elementwise("Equal", x, y), y, moved, x)
