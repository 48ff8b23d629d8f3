"""Lookups, discretization and categories become a few ops; hashing and text are refused with a remedy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, inside, model_of

WORDS = ["red", "green", "blue", "größer"]
INTEGERS = np.array([[0, 1, 2, 4], [3, 3, 3, 3], [1, 0, 4, 0]], np.int32)
TEXT = np.array([["red", "blue"], ["purple", "größer"], ["", "[UNK]"]], object)
LIMITS = [-1.5, 0.0, 0.25, 3.0]


def of(layer, shape, dtype):
    return keras.Sequential([keras.Input(shape, dtype=dtype), layer])


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_category_encoding_of_rows(mode):
    exported = export(of(layers.CategoryEncoding(num_tokens=5, output_mode=mode), (4,), "int32"))
    exported.check(INTEGERS)
    exported.check(INTEGERS[:0])
    assert "Unique" not in exported.ops
    assert sum(exported.ops.values()) <= 5


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 2)], ids=str)
def test_category_encoding_one_hot(shape):
    x = np.random.default_rng(0).integers(0, 5, (3, *shape)).astype("int32")
    export(of(layers.CategoryEncoding(num_tokens=5, output_mode="one_hot"), shape, "int32")).check(x)


def test_counts_with_weights():
    layer = layers.CategoryEncoding(num_tokens=5, output_mode="count")
    model = model_of(lambda x, w: layer(x, count_weights=w), ((None, 4), "int32"), ((None, 4), "float32"))
    export(model).check(INTEGERS, np.random.default_rng(0).random((3, 4), np.float32))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot_sets_nothing_for_categories_out_of_range(axis):
    exported = export(model_of(lambda x: keras.ops.one_hot(x, 3, axis=axis), ((None, 4), "int32")))
    exported.check(np.array([[-1, 0, 2, 3], [-3, 1, 100, -100]], np.int32))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_categories_out_of_range_in_every_form(dtype):
    def function(x):
        return [
            keras.ops.one_hot(x, 3, dtype="int32"),
            keras.ops.one_hot(x, 3, dtype="float16"),
            keras.ops.one_hot(x, 3, dtype="bool"),
            keras.ops.multi_hot(x, 3),
            tf.one_hot(x, 3, on_value=2.5, off_value=-1.0, axis=0),
        ]

    exported = export(model_of(inside(function), ((None, 3), dtype)))
    info = np.iinfo(dtype)
    exported.check(np.array([[info.min, 0, 2], [info.max, 1, 3], [3, 3, 200 if info.max > 200 else 100]], dtype))
    exported.check(np.zeros((0, 3), dtype))


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_discretization(mode):
    exported = export(of(layers.Discretization(LIMITS, output_mode=mode), (4,), "float32"))
    exported.check(np.float32([[-2, -1.5, 0, 0.1], [0.25, 3, 5, np.nan], [np.inf, -np.inf, -0.0, 2.999]]))


@pytest.mark.parametrize("dtype", ["int32", "float64"])
def test_discretization_of_other_dtypes(dtype):
    x = np.array([[-2, -1, 0, 3], [4, 1, 2, -3]]).astype(dtype)
    export(of(layers.Discretization(LIMITS), (4,), dtype)).check(x)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"mask_token": ""}, {"output_mode": "one_hot"}, {"output_mode": "multi_hot"}, {"output_mode": "count"}],
    ids=str,
)
def test_string_lookup(arguments):
    exported = export(of(layers.StringLookup(vocabulary=WORDS, **arguments), (2,), "string"))
    exported.check(TEXT)
    assert exported.ops["LabelEncoder"] == 1


def test_string_lookup_without_unknown_words():
    exported = export(of(layers.StringLookup(vocabulary=WORDS, num_oov_indices=0), (2,), "string"))
    exported.check(np.array([["red", "blue"]], object))


def test_words_of_numbers():
    exported = export(of(layers.StringLookup(vocabulary=WORDS, invert=True), (3,), "int64"))
    exported.check(np.array([[0, 1, 4], [2, 3, 9]]))


@pytest.mark.parametrize(
    "arguments",
    [{}, {"num_oov_indices": 3}, {"mask_token": 0}, {"invert": True}, {"output_mode": "multi_hot"}],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integer_lookup(arguments, dtype):
    exported = export(of(layers.IntegerLookup(vocabulary=[7, 3, 1 << 40], **arguments), (4,), dtype))
    exported.check(np.array([[0, 1, 2, 3], [7, -5, 8, 1]], dtype))


def test_the_same_table_gives_the_same_nodes():
    first, second = (export(of(layers.StringLookup(vocabulary=WORDS), (2,), "string")) for _ in range(2))
    assert first.inspection.size == second.inspection.size
    assert first.inspection.facts["minimum_runtime"]


@pytest.mark.parametrize(
    ("layer", "remedy"),
    [
        (lambda: layers.Hashing(num_bins=5), "vocabulary"),
        (lambda: layers.StringLookup(vocabulary=WORDS, num_oov_indices=2), "vocabulary"),
        (lambda: layers.TextVectorization(vocabulary=WORDS), "before the model"),
    ],
    ids=["Hashing", "StringLookup", "TextVectorization"],
)
def test_hashes_and_text_are_refused_with_a_remedy(layer, remedy):
    with pytest.raises(UnsupportedError, match=remedy):
        export(of(layer(), (1,), "string"))
