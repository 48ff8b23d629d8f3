"""Preprocessing: images and texts."""

from __future__ import annotations

from exporter.loading.legacy.families import FAMILIES
from exporter.loading.legacy.layer_config import LayerConfig


@FAMILIES.register("RandomCrop")
def random_crop(layer: LayerConfig) -> None:
    """Outside of training Keras 2 cropped to the ratio and resized; Keras 3.15 gives the image as it is."""
    layer.note(
        "RandomCrop of Keras 3 does nothing outside of training: kept as Resizing(crop_to_aspect_ratio=True)",
        "put a RandomCrop before the model if you train it further",
        severity="warning",
    )
    layer.class_name = "Resizing"
    layer.drop("seed", "force_generator", "rng_type")
    layer.config |= {"interpolation": "bilinear", "crop_to_aspect_ratio": True}


@FAMILIES.register("RandomHeight", "RandomWidth")
def random_size(layer: LayerConfig) -> None:
    """Keras 3 keeps these layers for old files; they change nothing outside of training."""
    layer.drop("force_generator", "rng_type", "dynamic")
