"""Normalizations."""

from __future__ import annotations

from exporter.loading.legacy.families import FAMILIES
from exporter.loading.legacy.layer_config import LayerConfig


@FAMILIES.register("BatchNormalization")
def batch_normalization(layer: LayerConfig) -> None:
    """One axis; statistics of the batch itself, which is all that renorm and virtual batches change in training."""
    axis = layer.config.get("axis", -1)
    if isinstance(axis, list):
        layer.config["axis"] = axis[0] if len(axis) == 1 else -1
        if len(axis) != 1:
            layer.refuse(f"axis={axis!r}: Keras 3 normalizes along one axis")
    layer.drop("fused")
    layer.require("renorm", False, reason="Keras 3 has no batch renormalization")
    layer.require("virtual_batch_size", None, reason="Keras 3 has no virtual batches")
    layer.drop("renorm_clipping", "renorm_momentum", "adjustment")
