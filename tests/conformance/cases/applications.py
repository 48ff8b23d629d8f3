"""keras.applications, random weights, small images: one case for each class of the public API."""

from __future__ import annotations

from functools import partial

import keras
from keras import applications

from tests.conformance.cases.case import Case, floats

# The smallest of each family; its other members repeat the same blocks more often.
FAMILIES = {
    "ConvNeXtTiny": 64,
    "DenseNet121": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "InceptionResNetV2": 96,
    "InceptionV3": 96,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "NASNetMobile": 64,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "VGG16": 32,
    "Xception": 96,
}


def build(name: str, size: int) -> keras.Model:
    """Return the application without pretrained weights."""
    return getattr(applications, name)(weights=None, input_shape=(size, size, 3), classes=10)


CASES = [
    Case(
        f"applications.{name}",
        (getattr(applications, name),),
        partial(build, name, size),
        (floats(size, size, 3, low=0, high=255),),
    )
    for name, size in FAMILIES.items()
]
