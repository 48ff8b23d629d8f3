"""Reductions over every axis: integers that wrap, int64 beyond 2⁵³, NaN and infinities, nothing at all."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of, normal

FUNCTIONS = {
    "sum": ops.sum,
    "prod": ops.prod,
    "max": ops.max,
    "min": ops.min,
    "mean": ops.mean,
    "all": ops.all,
    "any": ops.any,
    "argmax": ops.argmax,
    "argmin": ops.argmin,
    "count_nonzero": ops.count_nonzero,
    "var": ops.var,
    "std": ops.std,
    "logsumexp": ops.logsumexp,
    "norm": ops.norm,
}
SPECIALS = np.array(
    [[np.nan, 1, 2, -3], [np.inf, -np.inf, 0, 1], [np.inf, 1, 1, 1], [-np.inf, -1, 0, 2], [3e38, 3e38, 3e38, 0]],
    "float32",
)


@pytest.mark.parametrize(
    ("name", "axis"),
    [(n, axis) for n in FUNCTIONS for axis in (1, -1, (1, 2)) if not (n.startswith("arg") and axis == (1, 2))],
)
def test_floats(name, axis):
    exported = export(model_of(lambda x: FUNCTIONS[name](x, axis=axis), ((None, 3, 4), "float32")))
    exported.check(normal(2, 3, 4))
    exported.check(normal(0, 3, 4))


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in ("all", "any", "var", "std", "norm")])
def test_specials(name):
    exported = export(model_of(lambda x: FUNCTIONS[name](x, axis=1), ((None, 4), "float32")))
    exported.check(SPECIALS)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int8"])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "argmax", "argmin"])
def test_integers_wrap_and_are_exact(name, dtype):
    info = np.iinfo(dtype)
    rows = [[info.max, info.max, 1, 3], [info.min, info.min, 0, 7], [info.max, info.min, 5, 1], [3, 5, 7, 9]]
    if dtype == "int64":
        rows += [[2**53, 1, 0, 0], [2**62, 2**62, 3, 5], [-(2**53), -1, 0, 0], [2**60 + 1, 2**59 + 1, 2**58 + 1, -1]]
    exported = export(model_of(lambda x: FUNCTIONS[name](x, axis=1), ((None, 4), dtype)))
    exported.check(np.array(rows, dtype))
    exported.check(np.array(rows, dtype)[:0])


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "logsumexp"])
def test_over_a_dynamic_axis(name):
    exported = export(model_of(lambda x: FUNCTIONS[name](x, axis=1), ((None, None, 3), "float32")))
    for length in (1, 5):
        exported.check(normal(2, length, 3))


def test_a_mean_is_one_node():
    assert dict(export(model_of(lambda x: ops.mean(x, axis=(1, 2)), ((None, 4, 4, 3), "float32"))).ops) == {
        "ReduceMean": 1
    }


@pytest.mark.parametrize("opset", [13, 18])
def test_axes_are_an_attribute_below_opset_18(opset):
    model = model_of(
        lambda x: [ops.max(x, axis=1), ops.mean(x, axis=-1), ops.sum(x, axis=1)], ((None, 3, 4), "float32")
    )
    export(model, opset=opset).check(normal(2, 3, 4))
