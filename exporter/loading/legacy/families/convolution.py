"""Convolutions and resampling."""

from __future__ import annotations

from exporter.loading.legacy.families import FAMILIES
from exporter.loading.legacy.layer_config import LayerConfig


@FAMILIES.register("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D")
def depthwise(layer: LayerConfig) -> None:
    """Keras 2 wrote arguments of its base class, which these layers do not use."""
    layer.drop("kernel_initializer", "kernel_regularizer", "kernel_constraint")
    if layer.class_name.startswith("Depthwise"):
        layer.drop("filters")
    elif layer.config.get("padding") == "causal":
        layer.refuse("padding='causal': Keras 3 pads separable convolutions on both sides or not at all")
