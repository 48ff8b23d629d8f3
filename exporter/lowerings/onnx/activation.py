"""Activation functions, each in the form that ONNX Runtime executes best.

`activate` is what layers with an `activation` argument use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import FUNCTIONS, lowers_function, lowers_layer
from exporter.lowerings.onnx.value import Value


def activate(g: Graph, x: Value, function: Callable[..., Any] | None) -> Value:
    """Apply a Keras activation function to `x`."""
    name = getattr(function, "__name__", "")
    if function is None or function is keras.activations.linear:
        return x
    return FUNCTIONS[f"nn.{name}"].lowering(g, x)


def known_activation(function: Callable[..., Any] | None) -> bool:
    """Whether `activate` has a lowering for a Keras activation function; others are traced."""
    if function is None or function is keras.activations.linear:
        return True
    name = getattr(function, "__name__", "")
    return getattr(keras.activations, name, None) is function and f"nn.{name}" in FUNCTIONS


@lowers_function("nn.relu")
def relu(g: Graph, x: Value) -> Value:
    """max(x, 0)."""
    return g.elementwise("Relu", x)


@lowers_function("nn.sigmoid")
def sigmoid(g: Graph, x: Value) -> Value:
    """1 / (1 + exp(-x))."""
    return g.elementwise("Sigmoid", x)


@lowers_function("nn.tanh")
def tanh(g: Graph, x: Value) -> Value:
    """Tanh x."""
    return g.elementwise("Tanh", x)


@lowers_function("nn.silu")
def silu(g: Graph, x: Value) -> Value:
    """X · sigmoid(x), which ONNX Runtime fuses; the op Swish(24) is half as fast (ORT 1.32)."""
    return g.elementwise("Mul", x, g.elementwise("Sigmoid", x))


@lowers_function("nn.hard_sigmoid")
def hard_sigmoid(g: Graph, x: Value) -> Value:
    """relu6(x + 3) / 6."""
    return g.elementwise("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@lowers_function("nn.hard_silu")
def hard_silu(g: Graph, x: Value) -> Value:
    """X · hard_sigmoid(x): the op HardSwish."""
    return g.elementwise("HardSwish", x)


@lowers_function("nn.relu6")
def relu6(g: Graph, x: Value) -> Value:
    """min(max(x, 0), 6)."""
    return g.elementwise("Clip", x, g.constant(0, x.numpy_dtype), g.constant(6, x.numpy_dtype))


@lowers_function("nn.softmax")
def softmax(g: Graph, x: Value, axis: int = -1) -> Value:
    """exp(x) / sum exp(x) along one axis."""
    return g.op("Softmax", x, axis=axis % x.rank)


@lowers_function("nn.gelu", when=lambda x, approximate=True: True)
def gelu(g: Graph, x: Value, approximate: bool = True) -> Value:
    """X · Φ(x), exact or with tanh: the op Gelu(20)."""
    if not g.wants(20):
        raise NotImplementedError("gelu below opset 20")
    return g.elementwise("Gelu", x, approximate="tanh" if approximate else "none")


@lowers_layer(keras.layers.Activation, when=lambda layer, *_, **__: known_activation(layer.activation))
def activation(g: Graph, layer: Any, inputs: Value) -> Value:
    """Apply the layer's activation."""
    return activate(g, inputs, layer.activation)
