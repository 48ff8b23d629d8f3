"""The activation function of a layer: what `Activation`, and layers with an `activation` argument, apply.

Functions are told by the object that the layer holds, so `"exporter>mish"` works in every layer as `"mish"` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.nn.feed_forward import activated
from exporter.formats.onnx.registry import ACTIVATIONS, FUNCTIONS, Entry, lowers_activation, lowers_layer

Activation = Callable[..., Any]
RESHAPING = frozenset({"glu"})  # halves an axis, which the layers that hold it do not know of
BLOCKWISE = (keras.activations.relu, keras.activations.gelu, keras.activations.silu)  # see `feed_forward`


def activate(g: Graph, x: Value, function: Activation | None) -> Value:
    """Apply an activation function that `known_activation` knows to `x`."""
    entry = _entry(function)
    assert entry is not None
    result: Value = entry.lowering(g, x)
    return activated(result, x, entry.lowering) if function in BLOCKWISE else result


def known_activation(function: Activation | None) -> bool:
    """Whether `activate` has a lowering for an activation function; others are traced."""
    return _entry(function) is not None


def _entry(function: Activation | None) -> Entry | None:
    """Return the lowering of a function: its own, or that of the backend's function of the same name in Keras."""
    function = keras.activations.linear if function is None else function
    name = getattr(function, "__name__", "")
    own = f"{getattr(function, '__module__', '')}.{name}"
    if own in ACTIVATIONS:
        return ACTIVATIONS[own]
    is_keras = getattr(keras.activations, name, None) is function and name not in RESHAPING
    return FUNCTIONS[f"nn.{name}"] if is_keras and f"nn.{name}" in FUNCTIONS else None


@lowers_activation(keras.activations.linear)
def linear(g: Graph, x: Value) -> Value:
    """Return x itself."""
    return x


@lowers_activation(keras.activations.exponential)
def exponential(g: Graph, x: Value) -> Value:
    """exp(x)."""
    return g.elementwise("Exp", x)


@lowers_activation(keras.activations.gelu)
def exact_gelu(g: Graph, x: Value) -> Value:
    """Return x · Φ(x), exact, as layers mean "gelu": the backend's function approximates by default."""
    result: Value = FUNCTIONS["nn.gelu"].lowering(g, x, approximate=False)
    return result


@lowers_layer(keras.layers.Activation, when=lambda layer, *_, **__: known_activation(layer.activation))
def activation(g: Graph, layer: Any, inputs: Value) -> Value:
    """Apply the layer's activation."""
    return activate(g, inputs, layer.activation)
