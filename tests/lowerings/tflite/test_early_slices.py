"""Slices taken early: what is computed in part, what must stay whole, and that the numbers are Keras's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter.formats.tflite.conversion import trace
from exporter.freeze import Inference
from exporter.lowerings.tflite.early_slices import PRODUCTS, plan_of
from tests.conformance.cases.case import inside
from tests.lowerings.tflite.conftest import normal

LENGTH, WIDTH = 7, 6
TABLE = normal(LENGTH, WIDTH, seed=1)
MATRIX = normal(WIDTH, WIDTH, seed=2)


def dense(units=WIDTH, **arguments):
    return layers.Dense(units, bias_initializer="normal", **arguments)


def block(x):
    attention = layers.MultiHeadAttention(2, 3, bias_initializer="normal")
    x = layers.LayerNormalization()(x + attention(x, x))
    return layers.LayerNormalization()(x + dense()(dense(9, activation="gelu")(x)))


def model_of(call, shape=(LENGTH, WIDTH)):
    keras.utils.set_random_seed(0)
    x = keras.Input(shape)
    return keras.Model(x, call(x))


def products(call, batch=1):
    """Return the number of entries that each product of the rewritten graph computes, constants aside."""
    inference = Inference(model_of(call))
    graph = trace(inference, inference.inputs_for(batch))[0].graph
    return sorted(op.outputs[0].shape.num_elements() for op in graph.get_operations() if op.type in PRODUCTS)


SLICES = {
    "the first": np.s_[:, 0],
    "the last": np.s_[:, -1],
    "one, its axis kept": np.s_[:, 2:3],
    "three, from the end": np.s_[:, -4:-1],
    "with a whole axis behind": np.s_[:, 1, :],
    "with the batch": np.s_[0:1, 3],
}


@pytest.mark.parametrize("name", SLICES)
def test_a_transformer_of_which_a_part_is_read(export, name):
    exported = export(model_of(lambda x: dense(4)(block(block(x))[SLICES[name]])))
    exported.agrees(normal(1, LENGTH, WIDTH), normal(1, LENGTH, WIDTH, seed=3, scale=100.0))


def test_only_keys_and_values_of_the_last_attention_are_whole():
    whole, part = (LENGTH * WIDTH, WIDTH)
    scores = 2 * LENGTH
    assert products(lambda x: block(x)[:, 0]) == sorted([whole, whole, part, scores, part, part, 9, part])


def test_a_dynamic_batch(export):
    exported = export(model_of(lambda x: dense(4)(block(x)[:, 0])), batch="dynamic")
    exported.agrees(normal(1, LENGTH, WIDTH), normal(3, LENGTH, WIDTH))


def rowwise(x):
    return ops.softmax(layers.LayerNormalization()(dense(9, activation="gelu")(x)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_other_rows_do_not_matter(export, bad):
    exported = export(model_of(lambda x: rowwise(x)[:, 2]))
    for row in (1, 2):
        x = normal(1, LENGTH, WIDTH)
        x[0, row, 3] = bad
        exported.agrees(x)


CALLS = {
    "reshapes that keep the axis": lambda x: ops.reshape(ops.reshape(x @ MATRIX, (1, LENGTH, 2, 3)), (LENGTH, 6))[:2],
    "transpositions": lambda x: ops.transpose(x @ MATRIX, (2, 0, 1))[:, :, 1],
    "a reduction of another axis": lambda x: ops.sum(x @ MATRIX, -1)[:, 3],
    "a reduction of an axis before": lambda x: ops.max(ops.transpose(x @ MATRIX, (2, 0, 1)), 0)[:, :3],
    "a constant along the axis": lambda x: (x @ MATRIX + TABLE)[:, 3],
    "a scalar, and rows of one": lambda x: (2.0 * (x @ MATRIX) + TABLE[:, :1] * TABLE[:1])[:, 3],
    "a choice": lambda x: ops.where(TABLE > 0.0, x @ MATRIX, x)[:, 4],
    "the first factor transposed": lambda x: tf.matmul(x, x[:, :, :3], transpose_a=True)[:, 1],
    "a product of two": lambda x: ops.einsum("btd,bsd->bts", x, x)[:, 1],
    "an index of both factors": lambda x: ops.einsum("btd,btd->bt", x, x + 1.0)[:, 1:3],
}


@pytest.mark.parametrize("name", CALLS)
def test_passed(export, name):
    model = model_of(inside(CALLS[name]))
    inference = Inference(model)
    assert plan_of(inference.concrete(1).graph)
    export(model).agrees(normal(1, LENGTH, WIDTH))


def kept_for(x):
    y = x @ MATRIX
    return y, y[:, 0]


STAYS = {
    "more than half is taken": lambda x: (x @ MATRIX)[:, :4],
    "every second": lambda x: (x @ MATRIX)[:, ::2],
    "backwards": lambda x: (x @ MATRIX)[:, 1::-1],
    "the whole is an output": kept_for,
    "different parts": lambda x: [(y := x @ MATRIX)[:, 0], y[:, 1]],
    "columns of a product": lambda x: (x @ MATRIX)[:, :, 0],
    "along a softmax": lambda x: ops.softmax(x @ MATRIX)[:, :, 0],
    "through a sum of the axis": lambda x: ops.cumsum(x @ MATRIX, axis=1)[:, 1],
    "axes merged": lambda x: ops.reshape(x @ MATRIX, (-1, LENGTH * WIDTH))[:, :3],
    "no product": lambda x: ops.tanh(x)[:, 0],
    "two axes": lambda x: (x @ MATRIX)[:, 0, :2],
}


@pytest.mark.parametrize("name", STAYS)
def test_stays(export, name):
    model = model_of(inside(STAYS[name]))
    assert not plan_of(Inference(model).concrete(1).graph)
    export(model).agrees(normal(1, LENGTH, WIDTH))


def test_a_tensor_needed_whole_is_cut_behind_it():
    def call(x):
        y = dense()(x)
        return ops.mean(y, axis=1), dense(3)(y)[:, 0]

    assert products(call) == [3, LENGTH * WIDTH]


def test_equal_slices_of_one_tensor(export):
    def call(x):
        y = dense()(x)
        return y[:, 0], ops.tanh(y[:, 0])

    assert products(call) == [WIDTH]
    export(model_of(call)).agrees(normal(1, LENGTH, WIDTH))


def test_loops_and_their_slices_are_left_alone(export):
    def call(x):
        return dense()(layers.LSTM(5, return_sequences=True)(dense()(x)))[:, -1]

    export(model_of(call)).agrees(normal(1, LENGTH, WIDTH))
