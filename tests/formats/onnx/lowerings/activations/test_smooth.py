"""Smooth activation functions over the boundary ladder, densely where they bend, and the forms that ONNX Runtime fuses."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal
from tests.formats.onnx.lowerings.values import ladder

NAMES = ["sigmoid", "tanh", "tanh_shrink", "silu", "softsign", "log_sigmoid", "squareplus", "softplus", "gelu"]
DENSE = np.concatenate([np.linspace(-1, 1, 101), np.linspace(-30, 30, 121)]).reshape(-1, 1)


def functions(x):
    return [getattr(ops, n)(x) for n in NAMES] + [ops.gelu(x, approximate=False)]


@pytest.mark.parametrize("opset", [13, None])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(dtype, opset):
    exported = export(model_of(functions, ((None, 1), dtype)), opset=opset)
    exported.check(DENSE.astype(dtype))
    exported.check(DENSE[:0].astype(dtype))
    sizes = ladder(dtype)
    sizes = sizes[~(np.abs(sizes) > 1e18)].reshape(-1, 1)  # beyond, Keras squares or cubes into infinities of its own
    exported.check(sizes.astype(dtype))
    assert not {"Softplus", "Mish", "Swish", "Loop", "If"} & set(exported.ops)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "silu", "softsign", "log_sigmoid", "softplus"])
def test_everywhere(name):
    export(model_of(getattr(ops, name), ((None, 1), "float32"))).check(ladder())


@pytest.mark.parametrize(
    ("name", "forms"),
    [("tanh", {"Tanh"}), ("silu", {"Mul", "Sigmoid"}), ("softsign", {"Softsign"})],
)
def test_forms(name, forms):
    exported = export(model_of(getattr(ops, name), ((None, 3), "float32")))
    exported.check(normal(2, 3))
    assert set(exported.ops) == forms


def test_along_axes():
    """Softmax, its logarithm and GLU along every axis; rows of equal, large and infinite scores."""

    def function(x):
        parts = [f(x, axis=axis) for f in (ops.softmax, ops.log_softmax) for axis in (1, 2, -1)]
        return [*parts, ops.glu(x, 1), ops.glu(x, -1)]

    exported = export(model_of(inside(function), ((None, 4, 6), "float32")))
    exported.check(normal(3, 4, 6))
    exported.check(normal(0, 4, 6))
    exported.check(np.full((1, 4, 6), 1e30, "float32"))
    x = normal(2, 4, 6)
    x[0, 0, 0], x[1, 2] = -np.inf, [0, -np.inf, -3.4e38, 1, 2, 80]
    exported.check(x)
    assert "Loop" not in exported.ops


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [1, -1])
def test_rows_that_hold_nan_or_infinity(axis, dtype):
    """All of them are NaN, as in Keras; but for float32 softmax with oneDNN, which has no rule (docs/design/onnx.md)."""
    x = normal(2, 17, 17).astype(dtype)
    x[0, 0, 0], x[0, 5, 9], x[0, 16, 16], x[1, 3, 3], x[1, 4, 5] = np.nan, np.inf, np.nan, -np.inf, 3e38
    exact = export(model_of(inside(lambda x: ops.log_softmax(x, axis)), ((None, 17, 17), dtype)))
    exact.check(x)
    exported = export(model_of(inside(lambda x: ops.softmax(x, axis)), ((None, 17, 17), dtype)))
    if dtype == "float64":
        exported.check(x)
    (result,) = exported.runner.run({"x0": x}).values()
    wide = ops.convert_to_numpy(ops.softmax(x.astype("float64"), axis))
    np.testing.assert_array_equal(np.isnan(result), np.isnan(wide))
    assert np.isnan(result).any(axis=axis).sum() == 3
    np.testing.assert_allclose(result, wide, rtol=2e-6)  # 16 units in the last place, as tolerances.py has it
