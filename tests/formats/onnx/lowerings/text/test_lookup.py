"""Lookups of strings and integers, known and unknown, forwards and backwards; boundaries; text, which is refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export

WORDS = np.array([["a", "b", "ä"], ["", "unknown", "a"]], dtype=object)
NUMBERS = np.array([[10, 20, -3], [0, 2**40, 7]])


def over(layer, dtype, shape=(3,)):
    return export(keras.Sequential([keras.Input(shape, dtype=dtype), layer]))


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("kind", ["string", "int64"])
def test_lookups(kind, mode):
    if kind == "string":
        layer, values = layers.StringLookup(vocabulary=["a", "b", "ä"], output_mode=mode), WORDS
    else:
        layer, values = layers.IntegerLookup(vocabulary=[10, 20, -3], output_mode=mode), NUMBERS
    exported = over(layer, kind)
    exported.check(values)
    exported.check(values[:0])
    assert exported.ops["LabelEncoder"] == 1


def test_several_unknown_and_a_mask():
    layer = layers.IntegerLookup(vocabulary=[10, 20], num_oov_indices=0, mask_token=7)
    over(layer, "int64").check(np.array([[10, 20, 7]]))


def test_backwards():
    vocabulary = ["a", "b"]
    over(layers.StringLookup(vocabulary=vocabulary, invert=True), "int64").check(np.array([[0, 1, 2], [1, 2, 0]]))
    over(layers.IntegerLookup(vocabulary=[5, 9], invert=True), "int64").check(np.array([[0, 1, 2], [2, 1, 0]]))


def test_the_table_is_written_in_the_same_order_every_time():
    words = [f"w{n}" for n in range(50)]
    kept = [over(layers.StringLookup(vocabulary=words), "string").inspection.size for _ in range(2)]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("mode", ["int", "one_hot"])
def test_boundaries(mode, dtype):
    values = np.array([[-1, 0, 0.5], [1, 2, 3], [99, 1, 2]], dtype)
    exported = over(layers.Discretization([0.0, 1.0, 2.0], output_mode=mode), dtype)
    exported.check(values)
    if dtype == "float32":
        exported.check(
            np.array([[np.inf, -np.inf, 1 - 2.0**-24], [np.nextafter(np.float32(2), 3), -0.0, 1e30]], "float32")
        )


def test_text_is_refused():
    with pytest.raises(UnsupportedError, match="TextVectorization before the model"):
        over(layers.TextVectorization(vocabulary=["a"]), "string", (1,))
