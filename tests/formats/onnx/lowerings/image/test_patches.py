"""Patches of images and volumes: every padding, strides, gaps, dynamic sizes, NaN in one of them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

SHAPES = [(2, 9, 10, 3), (None, 9, 10, 3), (None, None, None, None)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_of_images(padding, shape):
    def function(x):
        return [
            tf.image.extract_patches(x, [1, 3, 2, 1], [1, stride, stride, 1], [1, rate, rate, 1], padding)
            for stride, rate in ((1, 1), (2, 1), (1, 2), (3, 1))
        ]

    exported = export(model_of(inside(function), (shape, "float32")))
    exported.check(normal(2, 9, 10, 3))
    if shape[1] is None:
        exported.check(normal(1, 5, 5, 2))


def test_nan_stays_in_its_patch():
    """A convolution with a kernel of ones and zeros would spread it: 0 · NaN is NaN."""
    x = normal(1, 8, 8, 2)
    x[0, 3, 3, 0], x[0, 6, 1, 1] = np.nan, np.inf
    function = inside(lambda x: tf.image.extract_patches(x, [1, 4, 4, 1], [1, 4, 4, 1], [1, 1, 1, 1], "VALID"))
    export(model_of(function, ((None, 8, 8, 2), "float32"))).check(x)


def test_of_integers():
    function = inside(lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME"))
    exported = export(model_of(function, ((None, 5, 5, 1), "int32")))
    exported.check(np.arange(50, dtype="int32").reshape(2, 5, 5, 1))


def test_of_volumes():
    function = inside(lambda x: tf.extract_volume_patches(x, [1, 2, 3, 2, 1], [1, 2, 1, 2, 1], "SAME"))
    export(model_of(function, ((None, 5, 6, 7, 2), "float32"))).check(normal(2, 5, 6, 7, 2))
