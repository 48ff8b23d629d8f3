"""Reciprocal square roots: of zeros, and of what cannot be zero."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from tests.formats.tflite.conftest import normal


def test_zeros_are_normalized_to_zeros(layer):
    exported = layer(lambda x: [layers.UnitNormalization()(x), ops.normalize(x), ops.rsqrt(ops.abs(x))], (4,))
    exported.agrees(np.zeros((1, 4), "float32"), normal(1, 4), np.array([[0, np.inf, np.nan, 1e-30]], "float32"))


def test_variances_keep_the_op(export):
    x = keras.Input((4,))
    made = [ops.rsqrt(x * x + 1e-3), ops.rsqrt(ops.maximum(x, 0.5)), layers.RMSNormalization()(x)]
    exported = export(keras.Model(x, made))
    assert exported.ops["RSQRT"] == 3
    exported.agrees(normal(1, 4), np.zeros((1, 4), "float32"))
