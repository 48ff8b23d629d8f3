"""Embeddings: Gather; the reverse of a tied one shares its table."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal

IDS = np.array([[0, 3, 6], [-1, -7, 2]])


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_types_of_ids(dtype):
    exported = export(keras.Sequential([keras.Input((None,), dtype=dtype), layers.Embedding(7, 4)]))
    ids = IDS if dtype.startswith("int") else np.abs(IDS) % 7
    exported.check(ids.astype(dtype))
    exported.check(ids[:0].astype(dtype))
    assert exported.ops["Gather"] == 1
    assert set(exported.ops) <= {"Gather", "Cast"}


def test_tied_embedding_is_in_the_file_once():
    ids = keras.Input((3,), dtype="int32")
    layer = layers.ReversibleEmbedding(7, 4, logit_soft_cap=2.0)
    exported = export(keras.Model(ids, layer(layer(ids), reverse=True)))
    exported.check(IDS.astype("int32"))
    assert exported.ops["Transpose"] == 1
    assert exported.inspection.facts.get("parameters", 28) == 28


def test_untied_reverse():
    layer = layers.ReversibleEmbedding(7, 4, tie_weights=False)
    x = keras.Input((3, 4))
    export(keras.Model(x, layer(x, reverse=True))).check(normal(2, 3, 4))


def test_mask_of_zeros_reaches_the_pooling():
    stack = [layers.Embedding(7, 4, mask_zero=True), layers.GlobalAveragePooling1D()]
    export(keras.Sequential([keras.Input((3,), dtype="int32"), *stack])).check(
        np.array([[0, 3, 6], [5, 0, 0]], "int32")
    )
