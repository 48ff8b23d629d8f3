"""Attention."""

from __future__ import annotations

from exporter.loading.legacy.families import FAMILIES
from exporter.loading.legacy.layer_config import LayerConfig


@FAMILIES.register("Attention", "AdditiveAttention")
def attention(layer: LayerConfig) -> None:
    """The causal mask became an argument of the call."""
    layer.require("causal", False, reason="pass use_causal_mask=True in the call instead")


@FAMILIES.register("MultiHeadAttention")
def multi_head_attention(layer: LayerConfig) -> None:
    """The shapes of the inputs are known from the call."""
    layer.drop("query_shape", "key_shape", "value_shape", "softmax_robust_masking")
