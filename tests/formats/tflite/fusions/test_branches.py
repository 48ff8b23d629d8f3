"""Activations spelled with `where` become the ops of the activation; what only looks like one keeps its choice."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside

X = np.array([[-4, -3, -0.5, 0, -0.0, 1e-7, -1e-7, 0.3, 2.9, 30, -30, 80, -80, np.nan, np.inf, -np.inf]], "float32")

ACTIVATIONS = {
    "elu": (lambda x: ops.where(x > 0, x, ops.exp(x) - 1), {"ELU"}),
    "elu of 0 in the first branch": (lambda x: ops.where(x >= 0, x, ops.exp(x) - 1.0), {"ELU"}),
    "elu, the other way round": (lambda x: ops.where(x < 0, ops.exp(x) - 1, x), {"ELU"}),
    "elu by TensorFlow": (inside(lambda x: tf.where(x > 0, x, tf.exp(x) - 1.0)), {"ELU"}),
    "leaky": (lambda x: ops.where(x > 0, x, 0.1 * x), {"LEAKY_RELU"}),
    "elish": (
        lambda x: ops.where(x >= 0, x * ops.sigmoid(x), (ops.exp(x) - 1) * ops.sigmoid(x)),
        {"ELU", "LOGISTIC", "MUL"},
    ),
    "elish of quotients": (
        lambda x: ops.where(x > 0, x / (1 + ops.exp(-x)), (ops.exp(x) - 1) / (ops.exp(-x) + 1)),
        {"ELU", "LOGISTIC", "MUL"},
    ),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_it_is_the_activation(layer, name):
    function, expected = ACTIVATIONS[name]
    exported = layer(function, (16,))
    exported.agrees(X, X[:, ::-1].copy())
    assert set(exported.ops) == expected


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.where(x > 1, x, ops.exp(x) - 1),
        lambda x: ops.where(x > 0, x, ops.exp(x) - 2),
        lambda x: ops.where(x > 0, -x, ops.exp(x) - 1),
        lambda x: ops.where(x < 0, x, 0.1 * x),
        lambda x: ops.where(x > 0, x, x * x),
        lambda x: ops.where(x >= 0, x * ops.sigmoid(2 * x), (ops.exp(x) - 1) * ops.sigmoid(x)),
    ],
)
def test_other_choices_stay(layer, function):
    exported = layer(function, (13,))
    exported.agrees(X[:, :13])  # EXP, on its own, is 0 of NaN
    assert {"SELECT", "SELECT_V2"} & set(exported.ops)


def test_a_choice_of_integers_stays(layer):
    exported = layer(lambda x: ops.where(x > 0, x, 2 * x), (4,), dtype="int32")
    exported.agrees(np.array([[-2, 0, 1, 5]], "int32"))
