"""GELU as people write it becomes the op; other constants stay."""

from __future__ import annotations

import math

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.fusions.spelled import check, exported

ROOT = math.sqrt(2 / math.pi)
X = np.float32([[-4, -3, -1.5, 0], [2.999, 3, 7, -0.0], [1e-7, -1e-7, 30, -30], [np.nan, np.inf, 1e10, -12]])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 0.5 * x * (1 + ops.erf(x / math.sqrt(2))),
        lambda x: x * 0.5 * (1.0 + ops.erf(x / 1.41421356)),
        lambda x: x * (0.5 * (ops.erf(0.70710678 * x) + 1)),
        lambda x: 0.5 * (x * (1 + ops.erf(x * 0.7071068))),
        lambda x: x * (1 + ops.erf(x / math.sqrt(2))) * 0.5,
    ],
)
def test_with_the_error_function(function):
    assert check(function, X, X[:0]) == {"Gelu": 1}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 0.5 * x * (1 + ops.tanh(ROOT * (x + 0.044715 * ops.power(x, 3)))),
        lambda x: 0.5 * x * (1 + ops.tanh(0.7978845608 * (x + 0.044715 * x * x * x))),
        lambda x: x * (0.5 * (1.0 + ops.tanh((x + 0.044715 * x**3) * ROOT))),
        lambda x: 0.5 * x * (1 + ops.tanh(0.7978845608 * x * (1 + 0.044715 * x * x))),
        lambda x: 0.5 * x * (1 + ops.tanh(ROOT * (x + 0.044715 * (x * x * x)))),
    ],
)
def test_with_the_hyperbolic_tangent(function):
    made = exported(function)
    made.check(X[:3])
    made.check(X[:0])
    assert dict(made.ops) == {"Gelu": 1}


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 0.5 * x * (1 + ops.erf(x / 1.5)),
        lambda x: 0.4 * x * (1 + ops.erf(x / math.sqrt(2))),
        lambda x: 0.5 * x * (2 + ops.erf(x / math.sqrt(2))),
        lambda x: 0.5 * ops.abs(x) * (1 + ops.erf(x / math.sqrt(2))),
        lambda x: 0.5 * x * (1 + ops.tanh(0.8 * (x + 0.044715 * ops.power(x, 3)))),
        lambda x: 0.5 * x * (1 + ops.tanh(ROOT * (x + 0.05 * ops.power(x, 3)))),
        lambda x: 0.5 * x * (1 + ops.tanh(ROOT * (x + 0.044715 * ops.power(x, 2)))),
    ],
)
def test_other_constants_stay(function):
    assert "Gelu" not in check(function, X[:3])


def test_below_the_opset_of_the_op_steps_stay():
    from tests.formats.onnx.lowerings.exported import export, model_of

    made = export(model_of(lambda x: 0.5 * x * (1 + ops.erf(x / math.sqrt(2))), ((None, 4), "float32")), opset=19)
    made.check(X)
    assert made.ops["Erf"] == 1
