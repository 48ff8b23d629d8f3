"""Upsampling by RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from tests.formats.tflite.conftest import normal


def test_nearest_is_one_op(export):
    x = keras.Input((6, 5, 4))
    made = [layers.UpSampling2D(2), layers.UpSampling2D((1, 3)), layers.UpSampling2D(2, data_format="channels_first")]
    exported = export(keras.Model(x, [layer(x) for layer in made]), "dynamic")
    assert exported.ops["RESIZE_NEAREST_NEIGHBOR"] >= 2
    x = normal(2, 6, 5, 4)
    x[1, 2] = np.inf
    exported.agrees(x, normal(1, 6, 5, 4))


def test_other_dimensions(export):
    x = keras.Input((6, 5, 4))
    made = [layers.UpSampling2D((2, 3), interpolation=i)(x) for i in ("bilinear", "bicubic")]
    made.append(layers.UpSampling3D(2)(layers.Reshape((3, 2, 5, 4))(x)))
    export(keras.Model(x, [*made, layers.UpSampling1D(3)(layers.Reshape((30, 4))(x))])).agrees(normal(1, 6, 5, 4))


def test_dynamic_sizes(export):
    x = keras.Input((None, None, 4))
    exported = export(keras.Model(x, layers.UpSampling2D((2, 3))(x)))
    exported.agrees(normal(1, 6, 5, 4), normal(1, 3, 8, 4))
