"""Rescaling and normalization of images: right, in one Mul and one Add, in the layout that convolutions want."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import exporter.layers as own
from tests.formats.onnx.lowerings.exported import export, normal

MEAN, VARIANCE = [0.485, 0.456, 0.406], [0.229**2, 0.224**2, 0.225**2]
BYTES = np.random.default_rng(0).integers(0, 256, (2, 6, 7, 3))


def of(*steps, shape=(6, 7, 3), dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *steps])


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int32"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Rescaling(1 / 255),
        lambda: layers.Rescaling(1 / 127.5, -1),
        lambda: layers.Rescaling([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]),
        lambda: layers.Normalization(mean=[120.0, 110.0, 100.0], variance=[3600.0, 3000.0, 2000.0]),
        lambda: layers.Normalization(mean=120.0, variance=3600.0),
        lambda: layers.Normalization(axis=None, mean=120.0, variance=3600.0),
        lambda: layers.Normalization(mean=MEAN, variance=VARIANCE, invert=True),
        own.ImageNormalize,
        lambda: own.ImageNormalize(mean=MEAN, std=[0.229, 0.224, 0.225]),
        lambda: own.ImageNormalize(mean=0.5, std=[0.229, 0.224, 0.225]),
    ],
)
def test_values(layer, dtype):
    exported = export(of(layer(), dtype=dtype))
    exported.check(BYTES.astype(dtype))
    exported.check(BYTES[:0].astype(dtype))
    assert set(exported.ops) <= {"Cast", "Mul", "Add", "Transpose"}
    assert exported.ops.get("Mul", 0) <= 1
    assert exported.ops.get("Add", 0) <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_specials(value):
    x = BYTES.astype("float32")
    x[0, 1, 2, 1] = value
    export(of(layers.Rescaling(1 / 255), layers.Normalization(mean=MEAN, variance=VARIANCE))).check(x)


def test_an_efficientnet_stem_is_one_mul_and_one_add_without_a_transpose_of_its_own():
    steps = [
        layers.Rescaling(1 / 255),
        layers.Normalization(mean=MEAN, variance=VARIANCE),
        layers.Rescaling([2.0, 3.0, 4.0]),
    ]
    exported = export(of(*steps, layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()))
    exported.check(BYTES.astype("float32"))
    assert exported.ops["Mul"] == exported.ops["Add"] == exported.ops["Transpose"] == 1


def test_a_mean_far_from_zero_is_subtracted_first():
    layer = layers.Normalization(mean=[1e4, -1e4, 0.0], variance=[1e-4, 1e-2, 1.0])
    x = np.float32([1e4, -1e4, 0]) + normal(5, 3) * 0.1
    export(of(layer, shape=(3,))).check(x)


def test_vectors_and_channels_first():
    adapted = layers.Normalization()
    adapted.adapt(normal(50, 4) * 3 + 1)
    export(of(adapted, shape=(4,))).check(normal(5, 4))
    export(of(layers.Normalization(axis=1, mean=MEAN, variance=VARIANCE), shape=(3, 4, 5))).check(normal(2, 3, 4, 5))
    export(of(own.ImageNormalize(mean=MEAN, data_format="channels_first"), shape=(3, 4, 5))).check(normal(2, 3, 4, 5))


def test_several_axes():
    layer = layers.Normalization(axis=(1, 3))
    layer.adapt(normal(20, 4, 5, 2) * 2 - 1)
    export(of(layer, shape=(4, 5, 2))).check(normal(2, 4, 5, 2))


@pytest.mark.parametrize("dtype", ["float64", "float16", "mixed_float16"])
def test_dtypes(dtype):
    export(of(layers.Rescaling(1 / 255, -0.5, dtype=dtype))).check(BYTES.astype("float32"))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout,
        layers.GaussianNoise,
        layers.RandomBrightness,
        layers.RandomContrast,
        layers.RandomRotation,
        layers.RandomZoom,
    ],
)
def test_what_is_for_training_vanishes(layer):
    exported = export(of(layers.Rescaling(2.0), layer(0.5)))
    exported.check(BYTES.astype("float32"))
    assert set(exported.ops) == {"Mul"}
