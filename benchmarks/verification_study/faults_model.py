"""Faults of a lowering: the file of a model that differs from the user's in what one layer is, in every format."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
from keras import layers

from benchmarks.verification_study.faults import Fault
from exporter import formats
from exporter.capture.inference import Inference
from exporter.spec import Options

Setting = tuple[str, str, Any]  # kind, attribute, value


def _tanh_gelu(x: Any) -> Any:
    return keras.activations.gelu(x, approximate=True)


OTHER_ACTIVATION: dict[str, Callable[[Any], Any]] = {
    "gelu": _tanh_gelu,
    "relu": keras.activations.relu6,
    "relu6": keras.activations.relu,
    "silu": keras.activations.hard_silu,
    "sigmoid": keras.activations.hard_sigmoid,
    "tanh": lambda x: keras.ops.clip(x, -1, 1),
    "elu": keras.activations.selu,
    "mish": keras.activations.silu,
    "hard_silu": keras.activations.silu,
    "softplus": keras.activations.relu,
}


def settings(layer: Any) -> Iterator[Setting]:
    """Yield what a lowering could get wrong of a layer: a kind of fault, the attribute, its wrong value."""
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    if name in OTHER_ACTIVATION and not isinstance(layer, (layers.LSTM, layers.GRU)):
        yield f"{name} for its like", "activation", OTHER_ACTIVATION[name]
    if isinstance(getattr(layer, "epsilon", None), float):
        yield "epsilon of a layer", "epsilon", layer.epsilon / 100
    if getattr(layer, "mask_zero", False):
        yield "mask of an embedding ignored", "mask_zero", False
    if isinstance(layer, (layers.LSTM, layers.GRU, layers.SimpleRNN)):
        yield "sequence backwards", "go_backwards", not layer.go_backwards
    if isinstance(layer, layers.UpSampling2D):
        yield "another interpolation", "interpolation", "bilinear" if layer.interpolation == "nearest" else "nearest"
    if isinstance(layer, layers.LayerNormalization) and len(getattr(layer, "_build_shapes_dict", None) or ()) > 0:
        yield "centre lost", "center", False
    if isinstance(layer, layers.MultiHeadAttention):
        yield "scale of attention", "_inverse_sqrt_key_dim", layer._inverse_sqrt_key_dim * 1.01


def faults(model: Any, form: str) -> Iterator[Fault]:
    """Yield the faults of a model's layers."""
    for layer in model._flatten_layers(include_self=False):
        for kind, attribute, value in settings(layer):
            yield Fault(
                kind,
                layer.path if hasattr(layer, "path") else layer.name,
                lambda s, t, wrong=(layer, attribute, value): _write(model, form, wrong, t),
            )


def _write(model: Any, form: str, wrong: tuple[Any, str, Any], target: Path) -> None:
    with changed(*wrong):
        formats.get(form).write(Inference(model), target, Options(), {})


@contextlib.contextmanager
def changed(layer: Any, attribute: str, value: Any) -> Iterator[None]:
    """Let a layer have another attribute for a while."""
    before = getattr(layer, attribute)
    setattr(layer, attribute, value)
    try:
        yield
    finally:
        setattr(layer, attribute, before)
