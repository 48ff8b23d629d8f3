"""Softmax with a mask: nothing, all and parts masked, every axis, specials."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal


@pytest.mark.parametrize("axis", [-1, 1, [2], [1, 2]], ids=str)
def test_masks(axis):
    x, mask = keras.Input((3, 5)), keras.Input((3, 5), dtype="bool")
    exported = export(keras.Model([x, mask], layers.Softmax(axis)(x, mask=mask)))
    scores = normal(2, 3, 5)
    part = scores > 0
    for kept in (part, np.ones_like(part), np.zeros_like(part)):
        exported.check(scores, kept)
        exported.check(1e4 * scores, kept)
    exported.check(scores[:0], part[:0])
    scores[0, 0, 0], scores[1, 1] = -np.inf, [-np.inf, 3.4e38, -3.4e38, 0, 1]
    exported.check(scores, part)
    if axis != [1, 2]:
        assert exported.ops["Where"] == 2
        assert exported.ops["Softmax"] == 1
