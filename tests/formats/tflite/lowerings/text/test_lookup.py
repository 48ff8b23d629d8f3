"""Lookup layers: known and unknown keys, strings and integers, every way of encoding."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

WORDS = ["w0", "w1", "", "ü"]


def test_strings(export):
    text = keras.Input((4,), dtype="string")
    ways = [{}, {"mask_token": ""}, {"num_oov_indices": 1, "output_mode": "multi_hot"}, {"output_mode": "count"}]
    ids = [layers.StringLookup(vocabulary=[w for w in WORDS if w or not a], **a)(text) for a in ways]
    exported = export(keras.Model(text, ids))
    exported.agrees(np.array([["w0", "ü", "none", "w0"]], object), np.array([["", "w1", "W1", "w10"]], object))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers(export, dtype):
    i = keras.Input((5,), dtype=dtype)
    ways = [{}, {"num_oov_indices": 3}, {"output_mode": "multi_hot"}, {"mask_token": 0}]
    exported = export(keras.Model(i, [layers.IntegerLookup(vocabulary=[7, -3, 4], **a)(i) for a in ways]))
    exported.agrees(np.array([[7, 4, 0, -3, 99]], dtype), np.array([[2**31 - 1, -(2**31), 4, 5, 6]], dtype))


def test_the_other_way_round(export):
    i = keras.Input((4,), dtype="int32")
    words = layers.StringLookup(vocabulary=["a", "b"], invert=True)(i)
    numbers = layers.IntegerLookup(vocabulary=[7, -3], invert=True)(i)
    export(keras.Model(i, [words, numbers])).agrees(
        np.array([[0, 1, 2, 1]], "int32"), np.array([[2, 3, 9, -1]], "int32")
    )
