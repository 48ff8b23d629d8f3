"""Cross-entropies as parts of a model."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from tests.formats.tflite.conftest import normal


@pytest.mark.parametrize("batch", [1, "dynamic"])
def test_class_numbers(export, batch):
    labels, scores = keras.Input((), dtype="int32"), keras.Input((5,))
    loss = ops.sparse_categorical_crossentropy(labels, scores, from_logits=True)
    exported = export(keras.Model([labels, scores], [loss, ops.exp(-loss)]), batch)
    exported.agrees([np.array([3], "int32"), normal(1, 5)], [np.array([0], "int32"), 1e4 * normal(1, 5)])
    if batch == "dynamic":
        exported.agrees([np.array([3, 0, 4], "int32"), normal(3, 5)])
