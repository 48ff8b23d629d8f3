"""A convolution behind a Concat of images, one of which leaves ONNX Runtime's blocked layout: two convolutions and a sum."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.weights import randomized


def decoder(*between, up=None, skip=None, tail=None, size=6, **convolution) -> keras.Model:
    """Return a step of a U-Net: an image upsampled, a skip connection, a convolution of both."""
    images = [keras.Input((side, side, 3)) for side in (size, 2 * size if size else None)]
    x = (up or layers.Conv2DTranspose(4, 2, 2))(images[0])
    y = (skip or layers.Conv2D(5, 3, padding="same"))(images[1])
    for layer in between:
        x = layer(x)
    z = layers.Conv2D(7, 3, padding="same", **convolution)(layers.Concatenate()([x, y]))
    for layer in tail or ():
        z = layer(z)
    return randomized(keras.Model(images, z))


def fed(batch, size=6):
    return normal(batch, size, size, 3), normal(batch, 2 * size, 2 * size, 3, seed=1)


MODELS = {
    "alone": {},
    "without a bias": {"use_bias": False},
    "activated": {"activation": "relu"},
    "strided": {"strides": 2},
    "normalized": {"tail": [layers.BatchNormalization(), layers.ReLU()]},
    "normalized without a bias": {"use_bias": False, "tail": [layers.BatchNormalization(scale=False), layers.ReLU()]},
    "bilinear": {"up": keras.Sequential([layers.Conv2D(4, 1), layers.UpSampling2D(interpolation="bilinear")])},
    "skip pooled": {"skip": keras.Sequential([layers.Conv2D(4, 3, padding="same"), layers.MaxPooling2D(1)])},
}


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_is_split(options):
    exported = export(decoder(**options))
    exported.check(*fed(2))  # TensorFlow refuses an empty batch here
    assert "Concat" not in exported.ops
    assert exported.ops["Add"] == 1
    assert "BatchNormalization" not in exported.ops


def test_image_that_is_normalized_and_activated_before():
    exported = export(decoder(layers.BatchNormalization(), layers.ReLU()))
    exported.check(*fed(2))
    assert "Concat" not in exported.ops


def test_images_of_any_size():
    exported = export(decoder(size=None))
    exported.check(*fed(2))
    exported.check(*fed(1, size=3))
    assert "Concat" not in exported.ops


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_specials(special):
    x, y = fed(2)
    x[1, 2, 3, 0] = special
    export(decoder(tail=[layers.BatchNormalization()])).check(x, y)


def needed_elsewhere():
    small, large = keras.Input((6, 6, 3)), keras.Input((12, 12, 3))
    joined = layers.Concatenate()([layers.Conv2DTranspose(4, 2, 2)(small), layers.Conv2D(5, 1)(large)])
    return keras.Model([small, large], [joined, layers.Conv2D(7, 3)(joined)])


def neither_is_blocked():
    return decoder(skip=layers.Conv2DTranspose(4, 3, padding="same"))


def both_are_blocked():
    return decoder(up=keras.Sequential([layers.Conv2D(4, 1), layers.AveragePooling2D(1), layers.UpSampling2D()]))


@pytest.mark.parametrize("make", [neither_is_blocked, both_are_blocked, needed_elsewhere])
def test_stays_one_convolution(make):
    exported = export(randomized(make()))
    exported.check(*fed(2))
    assert exported.ops["Concat"] == 1


def test_normalization_of_what_is_needed_elsewhere():
    small, large = keras.Input((6, 6, 3)), keras.Input((12, 12, 3))
    joined = layers.Concatenate()([layers.Conv2DTranspose(4, 2, 2)(small), layers.Conv2D(5, 1)(large)])
    z = layers.Conv2D(7, 3)(joined)
    exported = export(randomized(keras.Model([small, large], [z, layers.BatchNormalization()(z)])))
    exported.check(*fed(2))
    assert exported.ops["BatchNormalization"] == 1
