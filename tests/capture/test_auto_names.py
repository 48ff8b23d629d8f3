"""Names that Keras counts, and what stays of them when they are counted anew."""

from __future__ import annotations

import keras
import pytest
from keras import layers, ops

from exporter.capture.auto_names import counted_alike, counted_names, places


@pytest.mark.parametrize(
    ("found", "wanted", "alike"),
    [
        (["dense_3", "dense_4"], ["dense", "dense_1"], True),
        (["dense_3", "exp"], ["dense_9", "exp"], True),
        (["dense_3", "dense_4"], ["dense_1", "dense"], False),  # in another order
        (["dense_3", "dense_5"], ["dense", "dense_1"], False),
        (["dense"], ["conv2d"], False),
        ([], [], True),
    ],
)
def test_counted_alike(found, wanted, alike):
    assert counted_alike(found, wanted) is alike


def test_places_do_not_depend_on_where_the_counts_begin():
    first = ["block_7/dense_4", "block_7/dense_9", "block_7", "block_7@2/dense_4", "block_7@2", "dense_2", "dense"]
    other = ["block/dense", "block/dense_5", "block", "block@2/dense", "block@2", "dense_18", "dense_1"]

    assert places(first) == places(other)
    assert places(first)[:3] == ["block#0/dense#0", "block#0/dense#1", "block#0"]
    assert len(set(places(first))) == len(first)


def test_places_tell_names_and_orders_apart():
    assert places(["a_1", "a_2"]) == ["a#0", "a#1"]
    assert places(["a_1", "b_1"]) == ["a#0", "b#0"]
    assert places(["a#0", "a"]) == ["a#0#0", "a#0"]


def test_names_of_ones_own_are_not_counted():
    x, y = keras.Input((4,)), keras.Input((4,), name="input")
    model = keras.Model(
        [x, y], [layers.Dense(2)(x), layers.Dense(2, name="head_1")(y), ops.exp(x), layers.Conv1D(1, 1)(x[..., None])]
    )

    operations = [t._keras_history.operation.name for t in (*model.inputs, *model.outputs)]
    assert counted_names(model) == set(operations) - {"input", "head_1"}


def test_a_model_without_a_graph_has_none():
    class Own(keras.Model):
        def call(self, x):
            return x

    assert counted_names(Own()) == set()
