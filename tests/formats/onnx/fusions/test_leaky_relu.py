"""Leaky ReLU and softsign in steps."""

from __future__ import annotations

import pytest
from keras import ops

from tests.formats.onnx.fusions.spelled import check


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.where(x > 0, x, 0.1 * x),
        lambda x: ops.where(x < 0, x * -2.0, x),
        lambda x: ops.maximum(x, 0.1 * x),
        lambda x: ops.maximum(0.3 * x, x),
    ],
)
def test_leaky_relu(function):
    assert check(function) == {"LeakyRelu": 1}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.where(x < 0, x, 0.1 * x),
        lambda x: ops.where(-x > 0, x, 0.1 * x),
        lambda x: ops.where(x > 0, x, x * x),
        lambda x: ops.maximum(x, 1.5 * x),
        lambda x: ops.maximum(x, -0.1 * x),
        lambda x: ops.maximum(x, 0.0 * x),
        lambda x: ops.minimum(x, 0.1 * x),
    ],
)
def test_what_only_looks_like_it(function):
    assert "LeakyRelu" not in check(function)


def test_softsign():
    assert check(lambda x: x / (1 + ops.abs(x))) == {"Softsign": 1}
    assert check(lambda x: x / (2 + ops.abs(x)))["Div"] == 1
