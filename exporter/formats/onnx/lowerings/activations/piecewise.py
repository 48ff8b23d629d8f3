"""Activation functions made of straight lines and exponentials."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.math.logarithm import expm1
from exporter.formats.onnx.registry import lowers_function, lowers_op

FEW, CACHED = (
    2**10,
    2**17,
)  # elements: below, each op costs its call; above, a few arrays do not fit the cache of a core
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _has_kernels(x: Value) -> bool:
    """Whether ONNX Runtime has the activation ops for this dtype; float64 is composed."""
    return x.dtype == ir.DataType.FLOAT


@lowers_function("nn.relu")
def relu(g: Graph, x: Value) -> Value:
    """max(x, 0)."""
    return g.elementwise("Relu", x) if x.is_float else _above(g, x)


def _above(g: Graph, x: Value) -> Value:
    return g.elementwise("Max", x, g.constant(0, x.numpy_dtype))


def _below(g: Graph, x: Value) -> Value:
    return g.elementwise("Min", x, g.constant(0, x.numpy_dtype))


@lowers_op("Relu")
def tf_relu(g: Graph, op: Any, x: Value) -> Value:
    """max(x, 0)."""
    return relu(g, x)


@lowers_function("nn.relu6")
def relu6(g: Graph, x: Value) -> Value:
    """min(max(x, 0), 6)."""
    return _clipped(g, x, 0, 6)


@lowers_op("Relu6")
def tf_relu6(g: Graph, op: Any, x: Value) -> Value:
    """min(max(x, 0), 6)."""
    return relu6(g, x)


@lowers_function("nn.hard_tanh")
def hard_tanh(g: Graph, x: Value) -> Value:
    """min(max(x, -1), 1)."""
    return _clipped(g, x, -1, 1)


def _clipped(g: Graph, x: Value, low: float, high: float) -> Value:
    return g.elementwise("Clip", x, g.constant(low, x.numpy_dtype), g.constant(high, x.numpy_dtype))


@lowers_function("nn.leaky_relu")
def leaky_relu(g: Graph, x: Value, negative_slope: float = 0.2) -> Value:
    """Compute x where x > 0, else negative_slope · x."""
    if _has_kernels(x):
        return g.elementwise("LeakyRelu", x, alpha=float(negative_slope))
    slope = float(np.float32(negative_slope))  # as TensorFlow has it, also among float64
    return g.elementwise("Add", _above(g, x), g.elementwise("Mul", _below(g, x), slope))


@lowers_op("LeakyRelu")
def tf_leaky_relu(g: Graph, op: Any, x: Value) -> Value:
    """Compute x where x > 0, else alpha · x."""
    return leaky_relu(g, x, op.get_attr("alpha"))


@lowers_function("nn.hard_sigmoid")
def hard_sigmoid(g: Graph, x: Value) -> Value:
    """relu6(x + 3) / 6."""
    if _has_kernels(x):
        return g.elementwise("HardSigmoid", x, alpha=1 / 6, beta=0.5)
    return g.elementwise("Div", relu6(g, g.elementwise("Add", x, 3)), 6)


@lowers_function("nn.hard_silu")
def hard_silu(g: Graph, x: Value) -> Value:
    """Compute x · hard_sigmoid(x): the op HardSwish."""
    if _has_kernels(x) and g.supports_opset(14):
        return g.elementwise("HardSwish", x)
    return g.elementwise("Mul", x, hard_sigmoid(g, x))


@lowers_function("nn.elu")
def elu(g: Graph, x: Value, alpha: float = 1.0) -> Value:
    """Compute x where x > 0, else alpha · (exp(x) - 1).

    The op Elu takes twice as long as the maximum of both branches while these fit the cache: of 32,768 elements 74 µs for
    40, of 262,144 556 for 533, of two million 4.3 ms for 5.2; of 512 7 for 8 (ONNX Runtime 1.32, one thread). Up to alpha = 1
    the maximum is the same: below 0, alpha · (exp(x) - 1) >= x.
    """
    if not _has_kernels(x):
        return _exponential_linear(g, x, 1.0, alpha)
    if not 0 < alpha <= 1 or not FEW <= _elements(x) <= CACHED:
        return g.elementwise("Elu", x, alpha=float(alpha))
    below = g.elementwise("Sub", g.elementwise("Exp", _below(g, x)), 1)
    return g.elementwise("Max", x, below if alpha == 1 else g.elementwise("Mul", below, alpha))


def _elements(x: Value) -> float:
    """How many elements `x` has in a batch of one; infinite if other axes are dynamic."""
    return math.prod(math.inf if d is None else d for d in x.shape[1:])


def _exponential_linear(g: Graph, x: Value, scale: float, alpha: float) -> Value:
    below = g.elementwise("Mul", expm1(g, _below(g, x)), alpha)
    return g.elementwise("Add", g.elementwise("Mul", _above(g, x), scale), below)


@lowers_op("Elu")
def tf_elu(g: Graph, op: Any, x: Value) -> Value:
    """Compute x where x > 0, else exp(x) - 1."""
    return elu(g, x)


@lowers_function("nn.selu")
def selu(g: Graph, x: Value) -> Value:
    """Compute scale · elu(x, alpha), with the constants of self-normalizing networks."""
    if _has_kernels(x):
        return g.elementwise("Selu", x, alpha=SELU_ALPHA, gamma=SELU_SCALE)
    return _exponential_linear(g, x, SELU_SCALE, SELU_SCALE * SELU_ALPHA)


@lowers_op("Selu")
def tf_selu(g: Graph, op: Any, x: Value) -> Value:
    """Compute scale · elu(x, alpha)."""
    return selu(g, x)


@lowers_function("nn.celu")
def celu(g: Graph, x: Value, alpha: float = 1.0) -> Value:
    """max(x, 0) + alpha · (exp(min(x, 0) / alpha) - 1)."""
    below = expm1(g, g.elementwise("Div", _below(g, x), alpha))
    return g.elementwise("Add", _above(g, x), g.elementwise("Mul", below, alpha))


@lowers_function("nn.hard_shrink")
def hard_shrink(g: Graph, x: Value, threshold: float = 0.5) -> Value:
    """Compute x where |x| > threshold, else 0 (also for NaN)."""
    if _has_kernels(x):
        return g.elementwise("Shrink", x, lambd=float(threshold), bias=0.0)
    outside = g.elementwise("Greater", g.elementwise("Abs", x), g.constant(threshold, x.numpy_dtype))
    return g.elementwise("Where", outside, x, g.constant(0, x.numpy_dtype), dtype=x.dtype)


@lowers_function("nn.soft_shrink")
def soft_shrink(g: Graph, x: Value, threshold: float = 0.5) -> Value:
    """Move x by `threshold` towards 0; it is 0 in between (also for NaN)."""
    if _has_kernels(x):
        return g.elementwise("Shrink", x, lambd=float(threshold), bias=float(threshold))
    moved = g.elementwise("Sub", x, g.elementwise("Mul", g.elementwise("Sign", x), threshold))
    outside = g.elementwise("Greater", g.elementwise("Abs", x), g.constant(threshold, x.numpy_dtype))
    return g.elementwise("Where", outside, moved, g.constant(0, x.numpy_dtype), dtype=x.dtype)


@lowers_function("nn.threshold")
def threshold(g: Graph, x: Value, threshold: float, default_value: float) -> Value:
    """Compute x where x > threshold, else default_value."""
    limit, other = g.constant(threshold, x.numpy_dtype), g.constant(default_value, x.numpy_dtype)
    return g.elementwise("Where", g.elementwise("Greater", x, limit), x, other, dtype=x.dtype)


@lowers_function("nn.sparse_sigmoid")
def sparse_sigmoid(g: Graph, x: Value) -> Value:
    """(x + 1) / 2, from 0 to 1."""
    return _clipped(g, g.elementwise("Mul", g.elementwise("Add", x, 1), 0.5), 0, 1)


@lowers_function("nn.sparse_plus")
def sparse_plus(g: Graph, x: Value) -> Value:
    """0 up to -1, (x + 1)² / 4 up to 1, then x: with c = x limited to [-1, 1], (c + 1)² / 4 + max(x, 1) - 1."""
    inner = g.elementwise("Add", _clipped(g, x, -1, 1), 1)
    bent = g.elementwise("Mul", g.elementwise("Mul", inner, inner), 0.25)
    beyond = g.elementwise("Sub", g.elementwise("Max", x, g.constant(1, x.numpy_dtype)), 1)
    return g.elementwise("Add", bent, beyond)
