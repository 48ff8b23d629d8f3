"""Convolutions whose windows do not reach all of the image: cut, and padded by none, for runtimes up to 2.14."""

from __future__ import annotations

import pytest
import tensorflow as tf
from keras import layers

from tests.formats.tflite.conftest import normal

CONVOLUTIONS = [
    (layers.Conv2D(4, 3, strides=4, padding="same"), (16, 16, 3), 1),
    (layers.Conv2D(4, 3, strides=4, padding="same"), (14, 17, 3), 0),
    (layers.Conv2D(4, (3, 5), strides=4, padding="same"), (16, 17, 3), 1),
    (layers.DepthwiseConv2D(3, strides=4, padding="same"), (16, 16, 3), 1),
    (layers.Conv1D(4, 2, strides=3, padding="same"), (9, 3), 1),
    (layers.Conv2D(4, 1, strides=2, padding="same"), (16, 16, 3), 0),
]


@pytest.mark.parametrize(("convolution", "shape", "cuts"), CONVOLUTIONS)
def test_image_is_cut_where_rows_are_left_over(layer, convolution, shape, cuts):
    exported = layer(convolution, shape)
    assert exported.ops.get("STRIDED_SLICE", 0) == cuts
    exported.agrees(normal(1, *shape))


def test_images_of_any_size(layer):
    exported = layer(layers.Conv2D(4, 3, strides=4, padding="same"), (None, None, 3), batch="dynamic")
    exported.agrees(normal(1, 16, 13, 3), normal(2, 14, 15, 3), normal(1, 1, 9, 3))


def test_a_shape_that_is_ensured_is_known(layer):
    convolution = layers.Conv2D(4, 3, strides=2, padding="same")

    def function(x):
        return convolution(layers.Lambda(lambda x: tf.ensure_shape(x, [None, None, None, 3]))(x))

    layer(function, (None, None, 3), batch="dynamic").agrees(normal(1, 16, 13, 3))


def test_printing_is_left_out(layer):
    def printing(x):
        tf.print("x is", x)
        return 2 * x

    exported = layer(layers.Lambda(printing), (3,))
    assert set(exported.ops) <= {"MUL", "ADD"}
    exported.agrees(normal(1, 3))
