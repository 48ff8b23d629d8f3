"""The logistic function, Swish and Mish, spelled with exponentials and logarithms."""

from __future__ import annotations

import pytest
from keras import ops

from tests.formats.onnx.fusions.spelled import check


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: 1 / (1 + ops.exp(-x)), {"Sigmoid": 1}),
        (lambda x: 1.0 / (ops.exp(-x) + 1.0), {"Sigmoid": 1}),
        (lambda x: x / (1 + ops.exp(-x)), {"Sigmoid": 1, "Mul": 1}),
        (lambda x: x * (1 / (1 + ops.exp(-x))), {"Sigmoid": 1, "Mul": 1}),
    ],
)
def test_it_is_a_sigmoid(function, expected):
    assert check(function) == expected


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.tanh(ops.log(1 + ops.exp(x))) * x,
        lambda x: x * ops.tanh(ops.log(ops.exp(x) + 1)),
    ],
)
def test_mish_takes_one_exponential(function):
    assert check(function) == {"Exp": 1, "Add": 2, "Mul": 1, "Div": 2}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 1 / (1 + ops.exp(x)),
        lambda x: 1 / (2 + ops.exp(-x)),
        lambda x: 2 / (1 + ops.exp(-x)),
        lambda x: ops.abs(x) / (1 + ops.exp(-x)),
        lambda x: ops.abs(x) * ops.tanh(ops.log(1 + ops.exp(x))),
        lambda x: ops.log(1 + ops.exp(x)),
    ],
)
def test_what_only_looks_like_it_keeps_its_exponential(function):
    ops_of_file = check(function)
    assert ops_of_file["Exp"] == 1
    assert "Sigmoid" not in ops_of_file
