"""Projective transforms: beyond every border, at halves, in every fill mode."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal

TRANSFORMS = {
    "identity": [1, 0, 0, 0, 1, 0, 0, 0],
    "halves": [1, 0, 0.5, 0, 1, -0.5, 0, 0],
    "far away": [1, 0, -13.25, 0, 1, 21.75, 0, 0],
    "turned": [0.8, 0.6, -1.5, -0.6, 0.8, 2.5, 0, 0],
    "perspective": [1.1, 0.1, 0.3, -0.2, 0.9, 0.7, 0.05, -0.03],
    "from nowhere": [1, 0, 0, 0, 1, 0, -0.25, 0],
}


@pytest.mark.parametrize("mode", ["constant", "nearest", "wrap", "reflect"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_fill_modes(export, mode, interpolation):
    x, t = keras.Input((6, 5, 2)), keras.Input((8,))
    y = inside(lambda x, t: ops.image.affine_transform(x, t, interpolation, mode, fill_value=7.0))(x, t)
    exported = export(keras.Model([x, t], y), batch="dynamic")
    images = normal(len(TRANSFORMS), 6, 5, 2)
    exported.agrees([images, np.array(list(TRANSFORMS.values()), "float32")])


def test_one_transform_for_all_images_and_another_size(layer):
    def call(x):
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=x,
            transforms=[TRANSFORMS["turned"]],
            output_shape=[3, 8],
            fill_value=0.5,
            interpolation="BILINEAR",
        )

    layer(inside(call), (6, 5, 1), batch="dynamic").agrees(normal(3, 6, 5, 1))
