"""ELiSH as its paper writes it becomes what this package's layer becomes."""

from __future__ import annotations

import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.fusions.spelled import check
from tests.formats.onnx.lowerings.exported import inside

FUSED = {"Elu": 1, "Sigmoid": 1, "Mul": 1}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.where(x >= 0, x * ops.sigmoid(x), (ops.exp(x) - 1) * ops.sigmoid(x)),
        lambda x: ops.where(x > 0, x / (1 + ops.exp(-x)), (ops.exp(x) - 1) / (1 + ops.exp(-x))),
        lambda x: ops.where(x < 0, ops.sigmoid(x) * (ops.exp(x) - 1), ops.sigmoid(x) * x),
        inside(lambda x: tf.where(x >= 0.0, x * tf.sigmoid(x), (tf.exp(x) - 1.0) * tf.sigmoid(x))),
    ],
)
def test_it_is_written_as_the_layer_is(function):
    assert check(function) == FUSED


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.where(x >= 0, x * ops.sigmoid(x), (ops.exp(x) - 1) * ops.sigmoid(-x)),
        lambda x: ops.where(x >= 0, x * ops.sigmoid(2 * x), (ops.exp(x) - 1) * ops.sigmoid(x)),
        lambda x: ops.where(x >= 0, (ops.exp(x) - 1) * ops.sigmoid(x), x * ops.sigmoid(x)),
    ],
)
def test_what_only_looks_like_it_keeps_its_where(function):
    assert check(function)["Where"] == 1
