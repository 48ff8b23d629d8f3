"""LayerNormalization and GroupNormalization: axes, offsets, constant rows, large values."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.tflite.conftest import normal
from tests.formats.tflite.lowerings.test_recurrent import randomized

LAYERS = (
    layers.LayerNormalization,
    lambda: layers.LayerNormalization(axis=1),
    lambda: layers.LayerNormalization(axis=(1, 3)),
    lambda: layers.LayerNormalization(axis=(-1, -2), center=False),
    lambda: layers.LayerNormalization(scale=False, epsilon=1e-6),
    lambda: layers.GroupNormalization(2),
    lambda: layers.GroupNormalization(-1, scale=False),
    lambda: layers.GroupNormalization(1, center=False),
    lambda: layers.GroupNormalization(3, axis=1),
    layers.RMSNormalization,
    layers.UnitNormalization,
)


@pytest.mark.parametrize("batch", [1, "dynamic"])
def test_every_axis(export, batch):
    x = keras.Input((6, 5, 4))
    exported = export(randomized(keras.Model(x, [make()(x) for make in LAYERS])), batch)
    x = normal(1, 6, 5, 4)
    exported.agrees(x, x + 100, 1e15 * x, *([normal(3, 6, 5, 4)] if batch == "dynamic" else []))


def test_constant_rows_and_what_is_no_number(export):
    x = keras.Input((5, 4))
    exported = export(keras.Model(x, [layers.LayerNormalization()(x), layers.GroupNormalization(2)(x)]))
    rows = np.full((1, 5, 4), 3.0, "float32")
    gap = normal(1, 5, 4)
    gap[0, 2, 1] = np.nan
    exported.agrees(rows, 0 * rows, gap)


def test_dynamic_sizes(export):
    x = keras.Input((None, None, 4))
    exported = export(keras.Model(x, [layers.LayerNormalization()(x), layers.GroupNormalization(2)(x)]))
    exported.agrees(normal(1, 5, 3, 4), normal(1, 2, 7, 4))
