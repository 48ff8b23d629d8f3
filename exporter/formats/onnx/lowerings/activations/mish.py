"""Mish: x · tanh(softplus(x)) = x / (1 + 2 / (e · (e + 2))) with e = exp(x).

ONNX: Exp, Add, Mul, Div, Add, Div. Ten times as fast as Softplus, Tanh and Mul, and as the op Mish(18), which ONNX Runtime
composes of these (1.32, one thread, 65,536 elements: 83 µs against 796 µs). No guard is needed: where e overflows the inner
quotient is 0, where e vanishes it is infinite, and in the tail between it is precise.
"""

from __future__ import annotations

import keras

from exporter.activations.mish import mish as own_mish
from exporter.formats.onnx.builder.floats import above_negative_infinity, as_float
from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import lowers_activation, lowers_function, lowers_layer
from exporter.layers.mish import Mish


@lowers_activation(keras.activations.mish)
@lowers_function("keras.src.activations.activations.Mish.static_call")
def mish(g: Graph, x: Value) -> Value:
    """Keras's Mish: NaN at -Inf."""
    return g.elementwise("Div", x, _inverse_gate(g, x))


@lowers_activation(own_mish)
def limited_mish(g: Graph, x: Value) -> Value:
    """This package's Mish: 0 at -Inf."""
    x = as_float(g, x)
    return g.elementwise("Div", above_negative_infinity(g, x), _inverse_gate(g, x))


@lowers_layer(Mish)
def mish_layer(g: Graph, layer: Mish, inputs: Value) -> Value:
    """This package's Mish."""
    return limited_mish(g, inputs)


def _inverse_gate(g: Graph, x: Value) -> Value:
    e = g.elementwise("Exp", x)
    product = g.elementwise("Mul", e, g.elementwise("Add", e, 2))
    return g.elementwise("Add", g.elementwise("Div", g.constant(2, x.numpy_dtype), product), 1)
