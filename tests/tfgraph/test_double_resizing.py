"""Bilinear resizing in double, against its formula."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter import export
from exporter.tfgraph.precision import DOUBLE, Widened

SIZES = [(37, 45), (8, 6), (3, 3), (1, 1), (7, 9), (64, 2)]


def places(n, m, **options):
    i = np.arange(m)
    if options.get("half_pixel_centers"):
        return (i + 0.5) * n / m - 0.5
    if options.get("align_corners") and m > 1:
        return i * (n - 1) / (m - 1)
    return i * n / m


@pytest.mark.parametrize("options", [{"half_pixel_centers": True}, {"align_corners": True}, {}], ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_pixels_are_placed_and_weighed_in_double(size, options):
    x = np.random.default_rng(0).normal(size=(2, 7, 9, 3)).astype("float32")
    resize = tf.function(lambda images: tf.raw_ops.ResizeBilinear(images=images, size=size, **options))
    widened = Widened(resize.get_concrete_function(tf.TensorSpec((None, None, None, 3))), DOUBLE)
    (found,) = (t.numpy() for t in widened.compile()(tf.constant(x)))

    wanted = x.astype("float64")
    for axis, m in zip((1, 2), size, strict=True):
        at = places(x.shape[axis], m, **options)
        wanted = np.apply_along_axis(lambda line, at=at: np.interp(at, np.arange(len(line)), line), axis, wanted)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found, resize(tf.constant(x)), rtol=0, atol=1e-5)
    assert widened.narrow == ()


def test_bytes_are_resized_too():
    x = np.random.default_rng(0).integers(0, 256, (1, 4, 5, 1)).astype("uint8")
    resize = tf.function(lambda images: tf.image.resize(images, (7, 3)))
    (found,) = Widened(resize.get_concrete_function(tf.TensorSpec((1, 4, 5, 1), "uint8")), DOUBLE).compile()(x)
    np.testing.assert_allclose(found, resize(x), rtol=1e-6)


def test_resizing_to_an_odd_size_inside_a_model(tmp_path):
    """The files' error is in the places of the pixels, which a reference in float32 would share with Keras."""
    keras.utils.set_random_seed(1)
    image = keras.Input((36, 44, 3), name="image")
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = ops.image.resize(layers.ZeroPadding2D(((1, 2), (3, 1)))(x), (37, 45))
    model = keras.Model(image, layers.Conv2D(2, 1, activation="softmax")(x))
    export(model, tmp_path / "out", formats=("tflite", "onnx")).raise_for_status()
