"""`keras.applications`: one or two small members of every family, random weights, statistics as trained ones have them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from benchmarks.verification_study.case import Case, settled

# The smallest members, at the least size that they take.
MEMBERS = {
    "VGG16": 32,
    "VGG19": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "MobileNetV3Large": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "ConvNeXtTiny": 32,
    "NASNetMobile": 32,
    "Xception": 71,
    "InceptionV3": 75,
    "InceptionResNetV2": 75,
}
COSTLY = {"MobileNetV2": 224, "ResNet50": 224}
SLIM = ("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large")  # they take a width


def _built(name: str, size: int, rng: np.random.Generator) -> Any:
    """Build a member without its weights."""
    make = getattr(keras.applications, name)
    options: dict[str, Any] = {"weights": None, "include_top": True, "classes": 10, "input_shape": (size, size, 3)}
    if name in SLIM and size < 224:
        options["alpha"] = 0.25 if name in ("MobileNet", "MobileNetV2") else 0.75
    return _with_statistics(make(**options), size, rng)


def _with_statistics(model: Any, size: int, rng: np.random.Generator) -> Any:
    """Run images through in training mode with a momentum of 0: what trained networks have is what their images give."""
    settled(model, rng)
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    pixels = rng.uniform(0, 255, (4, size, size, 3)).astype("float32")
    model(pixels / 127.5 - 1, training=True)
    for layer in norms:
        layer.momentum = 0.99
        layer.moving_variance.assign(np.maximum(np.asarray(layer.moving_variance), 1e-3))
    return model


def cases(seeds: int, costly: bool) -> list[Case]:
    """Return the models; those of 224 pixels on request."""
    sizes = [(name, size, False) for name, size in MEMBERS.items()]
    sizes += [(name, size, True) for name, size in COSTLY.items()] if costly else []
    return [
        Case(
            f"applications/{name}@{size}", seed, lambda rng, n=name, s=size: _built(n, s, rng), faults=False, costly=big
        )
        for name, size, big in sizes
        for seed in range(1 if big else seeds)
    ]
