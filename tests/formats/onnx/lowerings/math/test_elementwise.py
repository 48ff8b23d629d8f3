"""Functions of one and two numbers over the boundary ladder, in float32 and float64, and at the extremes of integers."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of
from tests.formats.onnx.lowerings.values import integers, ladder, pairs

ONE = (
    "abs",
    "ceil",
    "exp",
    "expm1",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "log",
    "log10",
    "log1p",
    "log2",
    "negative",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "trunc",
    "nan_to_num",
    "logical_not",
    "sigmoid",
    "softplus",
    "log_sigmoid",
)
TWO = (
    "add",
    "subtract",
    "multiply",
    "divide",
    "maximum",
    "minimum",
    "power",
    "equal",
    "greater",
    "less_equal",
    "not_equal",
    "logical_and",
    "logical_xor",
    "logaddexp",
    "hypot",
    "arctan2",
    "copysign",
    "heaviside",
    "divide_no_nan",
    "fmax",
    "fmin",
)
TWO = [name for name in TWO if hasattr(ops, name)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ONE)
def test_one_float(name, dtype):
    export(model_of(getattr(ops, name), ((None, 1), dtype))).check(ladder(dtype))


@pytest.mark.parametrize("name", TWO)
def test_two_floats(name):
    exported = export(model_of(getattr(ops, name), ((None, 1), "float32"), ((None, 1), "float32")))
    exported.check(*pairs(ladder()))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "maximum", "minimum", "equal", "less", "not_equal"])
def test_two_integers(name, dtype):
    exported = export(model_of(getattr(ops, name), ((None, 1), dtype), ((None, 1), dtype)))
    exported.check(*pairs(integers(dtype)))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("name", ["abs", "sign", "square"])
def test_one_integer(name, dtype):
    export(model_of(getattr(ops, name), ((None, 1), dtype))).check(integers(dtype))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])  # TensorFlow negates no unsigned integers
def test_negative_integers(dtype):
    export(model_of(ops.negative, ((None, 1), dtype))).check(integers(dtype))


def test_a_branch_not_taken_leaks_nothing():
    model = model_of(lambda x: ops.where(x > 0, ops.log(x), ops.square(x)), ((None, 1), "float32"))
    exported = export(model)
    exported.check(ladder())
    assert exported.ops["Where"] == 1


def test_clip_passes_nan_on():
    export(model_of(lambda x: ops.clip(x, -1.5, 2), ((None, 1), "float32"))).check(ladder())


def test_broadcasting():
    shapes = [((None, 3, 1), (None, 1, 4)), ((None, 3, 4), (4,)), ((2, 3), ())]
    for first, second in shapes:
        exported = export(model_of(ops.add, (first, "float32"), (second, "float32")))
        arrays = [np.ones([2 if d is None else d for d in shape], "float32") for shape in (first, second)]
        exported.check(*arrays)
