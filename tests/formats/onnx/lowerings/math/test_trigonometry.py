"""The angle of a point in all quadrants, signs of zeros included, and hyperbolic functions of float64 where they cancel."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of
from tests.formats.onnx.lowerings.values import pairs

COORDINATES = np.array(
    [0, -0.0, 1, -1, 1e-30, -1e-30, 2.5, -2.5, 1e30, -1e30, 3.4e38, np.inf, -np.inf, np.nan]
).reshape(-1, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_angles(dtype):
    exported = export(model_of(inside(ops.arctan2), ((None, 1), dtype), ((None, 1), dtype)))
    y, x = pairs(COORDINATES.astype(dtype))
    exported.check(y, x)
    exported.check(y[:0], x[:0])
    assert not {"Loop", "If"} & set(exported.ops)


@pytest.mark.parametrize("name", ["sinh", "arcsinh", "arctanh", "arctan", "tan", "tanh", "arcsin"])
def test_small_doubles_keep_their_digits(name):
    x = np.concatenate([s * np.logspace(-20, -0.5, 100) for s in (1, -1)]).reshape(-1, 1)
    exported = export(model_of(inside(getattr(ops, name)), ((None, 1), "float64")))
    (result,) = exported.runner.run({exported.inference.inputs[0].name: x}).values()
    np.testing.assert_allclose(result, getattr(np, name)(x), rtol=1e-14)  # 45 units in the last place


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forms(dtype):
    """One op each for float32; ONNX Runtime has no kernels for most of them in float64."""
    exported = export(model_of(inside(lambda x: [ops.sinh(x), ops.arcsinh(x), ops.tan(x)]), ((None, 1), dtype)))
    exported.check(np.linspace(-1.5, 1.5, 21).reshape(-1, 1).astype(dtype))
    own = {"Sinh", "Asinh", "Tan"}
    assert (set(exported.ops) == own) if dtype == "float32" else not own & set(exported.ops)
