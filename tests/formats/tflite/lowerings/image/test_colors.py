"""Colour spaces: greys, pure colours, black and white."""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside


def test_there_and_back(layer):
    corners = np.array(list(itertools.product([0.0, 0.5, 1.0], repeat=3)), "float32").reshape(1, 3, 9, 3)
    drawn = np.random.default_rng(0).uniform(size=(1, 3, 9, 3)).astype("float32")

    def call(x):
        return ops.image.rgb_to_hsv(x), ops.image.hsv_to_rgb(x), ops.image.rgb_to_grayscale(x)

    layer(inside(call), (3, 9, 3)).agrees(drawn, corners)


def test_adjustments(layer):
    drawn = np.random.default_rng(0).uniform(size=(1, 3, 9, 3)).astype("float32")

    def call(x):
        hues = [tf.image.adjust_hue(x, d) for d in (0.2, -0.7, 1.0)]
        return (
            *hues,
            tf.image.adjust_saturation(x, 0.5),
            tf.image.adjust_saturation(x, 3.0),
            tf.image.adjust_contrast(x, 2.0),
        )

    layer(inside(call), (3, 9, 3)).agrees(drawn, np.full_like(drawn, 0.25))
