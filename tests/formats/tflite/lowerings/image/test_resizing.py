"""Resizing by constant matrices: enlarging, shrinking, one pixel, every kernel."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.errors import UnsupportedError
from tests.formats.tflite.conftest import normal

METHODS = ("bicubic", "lanczos3", "lanczos5", "area", "bilinear", "nearest")
SIZES = ((5, 7), (16, 20), (1, 1), (8, 10), (3, 25))


@pytest.mark.parametrize("method", METHODS)
def test_every_method(layer, method):
    def call(x):
        sharp = [ops.image.resize(x, s, interpolation=method) for s in SIZES]
        smooth = () if method in ("area", "nearest") else SIZES[:2]
        return sharp + [ops.image.resize(x, s, interpolation=method, antialias=True) for s in smooth]

    exported = layer(call, (8, 10, 3), batch="dynamic")
    spike = np.zeros((1, 8, 10, 3), "float32")
    spike[0, 3, 4] = 1e30
    exported.agrees(normal(1, 8, 10, 3), normal(3, 8, 10, 3), spike)


def test_channels_first_and_aspect_ratio(export):
    x = keras.Input((3, 8, 10))
    first = {"data_format": "channels_first"}
    made = [
        layers.Resizing(5, 7, interpolation="bicubic", **first),
        layers.Resizing(5, 7, crop_to_aspect_ratio=True, **first),
        layers.Resizing(5, 7, pad_to_aspect_ratio=True, fill_value=3.0, **first),
        layers.UpSampling2D(2, interpolation="lanczos3", **first),
    ]
    export(keras.Model(x, [layer(x) for layer in made])).agrees(normal(1, 3, 8, 10))


def test_a_size_that_is_not_known_is_refused(export):
    x = keras.Input((None, None, 3), name="picture")
    model = keras.Model(x, layers.Resizing(5, 7, interpolation="bicubic")(x))
    with pytest.raises(UnsupportedError, match="ResizeBicubic"):
        export(model)
