"""Counting, ranking, searching: ties, what is out of range, what is no number."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


def test_counts(export):
    i, w = keras.Input((6,), dtype="int32"), keras.Input((6,))
    y = inside(lambda i, w: (ops.bincount(i, minlength=9), tf.math.bincount(i, w, 9, 9, axis=-1)))(i, w)
    encodings = [layers.CategoryEncoding(9, output_mode=m)(i) for m in ("multi_hot", "count")]
    exported = export(keras.Model([i, w], [*y, *encodings]))
    exported.agrees(
        [np.array([[0, 8, 8, 3, 8, 0]], "int32"), normal(1, 6)], [np.full((1, 6), 4, "int32"), normal(1, 6)]
    )


def test_searching(layer):
    bounds = np.array([-1.0, 0.0, 0.0, 2.0], "float32")

    def call(x):
        places = [tf.searchsorted(bounds, x[0], side=s) for s in ("left", "right")]
        return *places, ops.digitize(x, bounds), ops.searchsorted(bounds, x[0], side="right")

    exported = layer(inside(call), (7,))
    exported.agrees(np.array([[-1.0, 0.0, 2.0, np.inf, -np.inf, 0.5, -0.0]], "float32"))


def test_ranking(export):
    targets, scores = keras.Input((), dtype="int32"), keras.Input((4,))
    y = [inside(lambda t, s, k=k: ops.in_top_k(t, s, k))(targets, scores) for k in (1, 2, 4)]
    exported = export(keras.Model([targets, scores], y), batch="dynamic")
    rows = np.array([[1, 2, 2, 0], [0, 0, 0, 0], [1, np.nan, 2, 3], [np.inf, 1, 2, 3], [3, 2, 1, -np.inf]], "float32")
    for target in (0, 1, 3):
        exported.agrees([np.full(5, target, "int32"), rows])
