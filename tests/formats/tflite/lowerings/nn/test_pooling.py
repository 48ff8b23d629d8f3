"""Pooling in three dimensions, two at a time."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.tflite.conftest import normal

POOLS = (
    {"pool_size": 2},
    {"pool_size": (3, 1, 2), "strides": (1, 2, 1), "padding": "same"},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": (2, 3, 3), "strides": 1},
)


@pytest.mark.parametrize("batch", [1, "dynamic"])
@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
def test_maxima_and_means(export, batch, order):
    x = keras.Input((6, 5, 7, 2) if order == "channels_last" else (2, 6, 5, 7))
    made = [cls(data_format=order, **a) for cls in (layers.MaxPooling3D, layers.AveragePooling3D) for a in POOLS]
    exported = export(keras.Model(x, [layer(x) for layer in made]), batch)
    assert not {"MAX_POOL_3D", "AVERAGE_POOL_3D"} & set(exported.ops)
    values = normal(1, *x.shape[1:])
    below = -np.abs(values) - 1  # zeros of the padding must not win
    exported.agrees(values, below, *([normal(3, *x.shape[1:])] if batch == "dynamic" else []))


def test_dynamic_sizes(export):
    x = keras.Input((None, None, None, 2))
    exported = export(keras.Model(x, layers.AveragePooling3D(2, padding="same")(layers.MaxPooling3D(2)(x))))
    exported.agrees(normal(1, 6, 5, 7, 2), normal(1, 4, 4, 9, 2))
