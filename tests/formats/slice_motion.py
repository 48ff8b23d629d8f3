"""Models of whose tensors parts are read, and functions along whose axes a slice can move, or cannot."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

LENGTH, WIDTH = 7, 6
TABLE = np.random.default_rng(1).normal(size=(LENGTH, WIDTH)).astype("float32")
MATRIX = np.random.default_rng(2).normal(size=(WIDTH, WIDTH)).astype("float32")


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


SLICES = {
    "the first": np.s_[:, 0],
    "the last": np.s_[:, -1],
    "one, its axis kept": np.s_[:, 2:3],
    "three, from the end": np.s_[:, -4:-1],
    "with a whole axis behind": np.s_[:, 1, :],
    "with the batch": np.s_[0:1, 3],
}


def rowwise(x):
    return ops.softmax(layers.LayerNormalization()(dense(9, activation="gelu")(x)))


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
    "the other factor of a product of two": lambda x: ops.einsum("btd,bsd->bts", x, x)[:, :, 1],
    "an index of both factors": lambda x: ops.einsum("btd,btd->bt", x, x + 1.0)[:, 1:3],
}


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
