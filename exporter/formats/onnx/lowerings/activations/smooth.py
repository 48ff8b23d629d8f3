"""Smooth activation functions, each in the form that ONNX Runtime executes best."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.unfused import prevent_ort_fusion
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.joining import split_into
from exporter.formats.onnx.lowerings.math.logarithm import Softplus, along_axis, softplus, tanh_of_softplus
from exporter.formats.onnx.lowerings.math.special import erf
from exporter.formats.onnx.registry import lowers_function, lowers_op


@lowers_function("nn.sigmoid")
def sigmoid(g: Graph, x: Value) -> Value:
    """1 / (1 + exp(-x))."""
    return g.elementwise("Sigmoid", x)


@lowers_function("nn.tanh")
def tanh(g: Graph, x: Value) -> Value:
    """Compute tanh x."""
    return tanh_of_softplus(g, x.of) if isinstance(x, Softplus) else g.elementwise("Tanh", x)


@lowers_op("Tanh")
def tf_tanh(g: Graph, op: Any, x: Value) -> Value:
    """Compute tanh x."""
    return tanh(g, x)


@lowers_function("nn.tanh_shrink")
def tanh_shrink(g: Graph, x: Value) -> Value:
    """Compute x - tanh x."""
    return g.elementwise("Sub", x, g.elementwise("Tanh", x))


@lowers_function("nn.silu")
def silu(g: Graph, x: Value) -> Value:
    """Compute x · sigmoid(x), which ONNX Runtime fuses; the op Swish(24) is half as fast (ORT 1.32)."""
    return g.elementwise("Mul", x, g.elementwise("Sigmoid", x))


@lowers_function("nn.glu", when=lambda x, axis=-1: x.shape[axis] is not None)
def glu(g: Graph, x: Value, axis: int = -1) -> Value:
    """Compute a · sigmoid(b), where a and b are the halves of `axis`."""
    half = (x.shape[axis] or 0) // 2
    a, b = split_into(g, x, axis % x.rank, [half, half])
    return g.elementwise("Mul", a, g.elementwise("Sigmoid", b))


@lowers_function("nn.gelu")
def gelu(g: Graph, x: Value, approximate: bool = True) -> Value:
    """Compute x · Φ(x), exact or with tanh: the op Gelu(20), below x / 2 · (1 + erf(x / √2)) or its approximation."""
    x = prevent_ort_fusion(x, bias=True)
    if x.dtype == ir.DataType.FLOAT and g.supports_opset(20):
        return g.elementwise("Gelu", x, approximate="tanh" if approximate else "none")
    if approximate:
        cube = g.elementwise("Mul", g.elementwise("Mul", x, x), x)
        inner = g.elementwise("Add", x, g.elementwise("Mul", cube, _rounded(0.044715)))
        bent = g.elementwise("Tanh", g.elementwise("Mul", inner, math.sqrt(2 / math.pi)))
    else:
        bent = erf(g, g.elementwise("Mul", x, _rounded(math.sqrt(0.5))))
    return g.elementwise("Mul", g.elementwise("Mul", x, 0.5), g.elementwise("Add", bent, 1))


def _rounded(number: float) -> float:
    """Return a constant of gelu as TensorFlow has it: rounded to float32, also among float64."""
    return float(np.float32(number))


@lowers_function("nn.softsign")
def softsign(g: Graph, x: Value) -> Value:
    """Compute x / (1 + |x|)."""
    if x.dtype == ir.DataType.FLOAT:
        return g.elementwise("Softsign", x)
    return g.elementwise("Div", x, g.elementwise("Add", g.elementwise("Abs", x), 1))


@lowers_op("Softsign")
def tf_softsign(g: Graph, op: Any, x: Value) -> Value:
    """Compute x / (1 + |x|)."""
    return softsign(g, x)


@lowers_function("nn.log_sigmoid")
def log_sigmoid(g: Graph, x: Value) -> Value:
    """-softplus(-x)."""
    return g.elementwise("Neg", softplus(g, g.elementwise("Neg", x)))


@lowers_function("nn.squareplus")
def squareplus(g: Graph, x: Value, b: float = 4) -> Value:
    """(x + √(x² + b)) / 2."""
    root = g.elementwise("Sqrt", g.elementwise("Add", g.elementwise("Mul", x, x), b))
    return g.elementwise("Mul", g.elementwise("Add", x, root), 0.5)


@lowers_function("nn.softmax", when=lambda x, axis=-1: isinstance(axis, int))
def softmax(g: Graph, x: Value, axis: int = -1) -> Value:
    """exp(x) / Σ exp(x) along one axis."""
    return along_axis(g, "Softmax", x, axis)


@lowers_function("nn.log_softmax", when=lambda x, axis=-1: isinstance(axis, int))
def log_softmax(g: Graph, x: Value, axis: int = -1) -> Value:
    """Compute x - log Σ exp(x) along one axis."""
    return along_axis(g, "LogSoftmax", x, axis)
