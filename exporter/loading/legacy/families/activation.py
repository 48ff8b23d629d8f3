"""Layers that apply a function to every element."""

from __future__ import annotations

from exporter.loading.legacy.families import FAMILIES
from exporter.loading.legacy.layer_config import LayerConfig


@FAMILIES.register("LeakyReLU")
def leaky_relu(layer: LayerConfig) -> None:
    """The slope has another name."""
    layer.rename("alpha", "negative_slope")


@FAMILIES.register("Softmax")
def softmax(layer: LayerConfig) -> None:
    """A way to mask that Keras 3 always takes."""
    layer.drop("robust_masking")
