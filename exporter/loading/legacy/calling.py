"""Layers that Keras 3 calls otherwise than Keras 2 did, or that give another type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
_LOOKUPS = ("IntegerLookup", "StringLookup", "TextVectorization")


def as_keras2(layer: Any, node: Mapping[str, Any]) -> Callable[..., Any]:
    """The layer, to be called as a node of Keras 2 says.

    Args:
        layer: a layer of Keras 3.
        node: its class and config.
    """
    class_name, mode = node["class_name"], node["config"].get("output_mode", "int")
    if class_name in _RECURRENT:
        return lambda inputs, **kwargs: _call_recurrent(layer, inputs, **kwargs)
    if class_name == "MultiHeadAttention":
        return lambda inputs, **kwargs: _call_attention(layer, inputs, **kwargs)
    if class_name in _LOOKUPS and mode != "int":
        return lambda inputs: _cast(layer(inputs), "float32")
    if class_name == "Discretization" and mode == "int":
        return lambda inputs: _cast(layer(inputs), "int64")
    return layer


def _cast(tensor: Any, dtype: str) -> Any:
    """Keras 2 gave encodings as floats and buckets as int64; Keras 3.15 gives int64 and int32."""
    import keras

    return keras.ops.cast(tensor, dtype)


def _call_recurrent(layer: Any, inputs: Any, **kwargs: Any) -> Any:
    """Keras 2 passed initial states behind the inputs, in one list."""
    if isinstance(inputs, list):
        inputs, *states = inputs
        kwargs["initial_state"] = states
    if kwargs.get("constants") is None:
        kwargs.pop("constants", None)
    return layer(inputs, **kwargs)


def _call_attention(layer: Any, inputs: Any, **kwargs: Any) -> Any:
    """Keras 3.15 takes the masks off the tensors that it attends to; others that read them need the masks."""
    kwargs = {key: _with_own_mask(value) if key in ("value", "key") else value for key, value in kwargs.items()}
    return layer(_with_own_mask(inputs), **kwargs)


def _with_own_mask(tensor: Any) -> Any:
    import keras

    return keras.layers.Identity()(tensor) if getattr(tensor, "_keras_mask", None) is not None else tensor
