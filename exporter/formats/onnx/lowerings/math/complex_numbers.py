"""Complex numbers inside a model: pairs of real tensors. ONNX Runtime has no others; a model cannot return them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import filled
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.math.trigonometry import atan2
from exporter.formats.onnx.registry import OPS, lowers_op


@dataclass(frozen=True)
class Complex:
    """real + i · imag."""

    real: Value
    imag: Value


# What moves elements or is linear does to both parts what it does to one tensor.
PARTWISE = frozenset(
    {
        "Add",
        "AddN",
        "AddV2",
        "BroadcastTo",
        "ConcatV2",
        "Cumsum",
        "ExpandDims",
        "GatherNd",
        "GatherV2",
        "Identity",
        "MatrixBandPart",
        "Mean",
        "MirrorPad",
        "Neg",
        "Pack",
        "Pad",
        "PreventGradient",
        "Reshape",
        "ReverseV2",
        "Roll",
        "Select",
        "SelectV2",
        "Slice",
        "Snapshot",
        "Split",
        "SplitV",
        "Squeeze",
        "StopGradient",
        "StridedSlice",
        "Sub",
        "Sum",
        "Tile",
        "Transpose",
        "Unpack",
        "ZerosLike",
    }
)


# Products, of which each part is made of two products of real tensors.
PRODUCTS = frozenset({"BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "MatMul"})

MEASURES = frozenset({"Rank", "Shape", "Size"})


def is_complex(value: Any) -> bool:
    """Whether a value is complex: a pair, or a constant of complex numbers."""
    complex_types = (ir.DataType.COMPLEX64, ir.DataType.COMPLEX128)
    return isinstance(value, Complex) or (isinstance(value, Value) and value.dtype in complex_types)


def complex_op(g: Graph, op: Any, inputs: Sequence[Any]) -> Any:
    """Write an op that has complex inputs.

    Raises:
        NotImplementedError: if it is not one of those that complex numbers are known for.
    """
    inputs = [_pair(g, v) if is_complex(v) else v for v in inputs]
    if op.type in ARITHMETIC:
        return ARITHMETIC[op.type](g, *inputs)
    if op.type == "Cast":
        return _cast(g, op, *inputs)
    if op.type in MEASURES:
        return OPS[op.type].lowering(g, op, inputs[0].real)
    if op.type in PRODUCTS and len(inputs) == 2:
        return _product(g, op, *inputs)
    if op.type not in PARTWISE:
        raise NotImplementedError(f"ONNX has no complex numbers, and {op.type} of them is not written with real ones")
    lowering = OPS[op.type].lowering
    parts = [lowering(g, op, *(_part(v, name) for v in inputs)) for name in ("real", "imag")]
    if isinstance(parts[0], list):
        return [Complex(real, imag) for real, imag in zip(*parts, strict=True)]
    return Complex(*parts)


def _part(value: Any, name: str) -> Any:
    return getattr(value, name) if isinstance(value, Complex) else value


def _pair(g: Graph, value: Complex | Value) -> Complex:
    if isinstance(value, Complex):
        return value
    assert isinstance(value, Constant)
    return Complex(g.constant(value.array.real.copy()), g.constant(value.array.imag.copy()))


@lowers_op("Complex")
def from_parts(g: Graph, op: Any, real: Value, imag: Value) -> Complex:
    """A pair."""
    return Complex(real, imag)


def _cast(g: Graph, op: Any, z: Complex) -> Complex | Value:
    """Return the parts in another width, or the real part alone."""
    wanted = op.get_attr("DstT")
    if not wanted.is_complex:
        real: Value = OPS["Cast"].lowering(g, op, z.real)
        return real
    width = ir.DataType.DOUBLE if wanted.name == "complex128" else ir.DataType.FLOAT
    return Complex(g.cast(z.real, width), g.cast(z.imag, width))


def _product(g: Graph, op: Any, a: Complex, b: Complex) -> Complex:
    """Return a product of matrices, each transposed and conjugated first if TensorFlow says so."""
    if op.type.startswith("Batch"):
        a, b = (_conjugated(g, z) if op.get_attr(name) else z for z, name in ((a, "adj_x"), (b, "adj_y")))
    lowering = OPS[op.type].lowering
    real = g.elementwise("Sub", lowering(g, op, a.real, b.real), lowering(g, op, a.imag, b.imag))
    imag = g.elementwise("Add", lowering(g, op, a.real, b.imag), lowering(g, op, a.imag, b.real))
    return Complex(real, imag)


def from_real(g: Graph, x: Value) -> Complex:
    """Return real numbers as complex ones."""
    return Complex(x, filled(g, g.constant(0, x.numpy_dtype), x))


def _multiplied(g: Graph, a: Complex, b: Complex) -> Complex:
    real = g.elementwise("Sub", g.elementwise("Mul", a.real, b.real), g.elementwise("Mul", a.imag, b.imag))
    imag = g.elementwise("Add", g.elementwise("Mul", a.real, b.imag), g.elementwise("Mul", a.imag, b.real))
    return Complex(real, imag)


def _divided(g: Graph, a: Complex, b: Complex) -> Complex:
    """Multiply by b̄ / |b|², with b divided by the larger of its parts first, so that no square overflows or vanishes."""
    scale = _scale(g, b)
    b = Complex(g.elementwise("Div", b.real, scale), g.elementwise("Div", b.imag, scale))
    norm = g.elementwise("Add", g.elementwise("Mul", b.real, b.real), g.elementwise("Mul", b.imag, b.imag))
    product = _multiplied(g, a, _conjugated(g, b))
    real, imag = (g.elementwise("Div", part, norm) for part in (product.real, product.imag))
    return Complex(g.elementwise("Div", real, scale), g.elementwise("Div", imag, scale))


def _scale(g: Graph, z: Complex) -> Value:
    """Return the larger of both parts without signs, 1 for 0."""
    largest = g.elementwise("Max", g.elementwise("Abs", z.real), g.elementwise("Abs", z.imag))
    zero, one = g.constant(0, largest.numpy_dtype), g.constant(1, largest.numpy_dtype)
    return g.elementwise("Where", g.elementwise("Equal", largest, zero), one, largest, dtype=largest.dtype)


def _conjugated(g: Graph, z: Complex) -> Complex:
    return Complex(z.real, g.elementwise("Neg", z.imag))


def _size(g: Graph, z: Complex) -> Value:
    """√(a² + b²), both divided by the larger first, so that no square overflows; infinite also beside NaN."""
    scale = _scale(g, z)
    ratios = [g.elementwise("Div", part, scale) for part in (z.real, z.imag)]
    squares = [g.elementwise("Mul", ratio, ratio) for ratio in ratios]
    size = g.elementwise("Mul", g.elementwise("Sqrt", g.elementwise("Add", *squares)), scale)
    infinity = g.constant(np.inf, size.numpy_dtype)
    real, imag = (g.elementwise("Equal", g.elementwise("Abs", part), infinity) for part in (z.real, z.imag))
    return g.elementwise("Where", g.elementwise("Or", real, imag), infinity, size, dtype=size.dtype)


def _exponential(g: Graph, z: Complex) -> Complex:
    """exp(a) · (cos b + i sin b); an angle of 0 makes no NaN of an infinite size, nor does a size of 0 of any angle."""
    size, zero = g.elementwise("Exp", z.real), g.constant(0, z.real.numpy_dtype)
    vanished, flat = g.elementwise("Equal", size, zero), g.elementwise("Equal", z.imag, zero)
    real, imag = (g.elementwise("Mul", size, g.elementwise(kind, z.imag)) for kind in ("Cos", "Sin"))
    imag = g.elementwise("Where", flat, z.imag, imag, dtype=imag.dtype)
    return Complex(*(g.elementwise("Where", vanished, zero, part, dtype=part.dtype) for part in (real, imag)))


def _logarithm(g: Graph, z: Complex) -> Complex:
    return Complex(g.elementwise("Log", _size(g, z)), atan2(g, None, z.imag, z.real))


def _equal(g: Graph, a: Complex, b: Complex) -> Value:
    return g.elementwise("And", g.elementwise("Equal", a.real, b.real), g.elementwise("Equal", a.imag, b.imag))


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Mul": _multiplied,
    "RealDiv": _divided,
    "Div": _divided,
    "Conj": _conjugated,
    "ComplexAbs": _size,
    "Exp": _exponential,
    "Square": lambda g, z: _multiplied(g, z, z),
    "Real": lambda g, z: z.real,
    "Imag": lambda g, z: z.imag,
    "Angle": lambda g, z: atan2(g, None, z.imag, z.real),
    "Log": _logarithm,
    "Equal": _equal,
    "NotEqual": lambda g, a, b: g.elementwise("Not", _equal(g, a, b)),
}
