"""Special, trigonometric and hyperbolic functions over the boundary ladder and densely where they bend."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of
from tests.formats.onnx.lowerings.values import ladder

EVERYWHERE = ["erf", "arctan", "arcsinh", "tanh", "sinc", "angle"]
UNIT = ["arcsin", "arccos", "arctanh", "erfinv"]
TAILS = ["sinh", "cosh", "arccosh", "i0", "exp2"]
TURNS = ["sin", "cos", "tan", "deg2rad", "rad2deg"]
NAMES = [n for n in (*EVERYWHERE, *UNIT, *TAILS, *TURNS) if hasattr(ops, n)]
DENSE = np.concatenate([np.linspace(-1, 1, 201), np.linspace(-12, 12, 241)]).reshape(-1, 1)


# Beyond these sizes Keras itself is wrong: erf of a large or infinite float64 is NaN, and i0 overflows before its value does.
STRANGE = {("erf", "float64"): 1e9, ("i0", "float32"): 88.5, ("i0", "float64"): 705}


# In Keras 3.15 exp2 takes float32 only.
CASES = [(name, dtype) for name in NAMES for dtype in ("float32", "float64") if (name, dtype) != ("exp2", "float64")]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_values(name, dtype):
    exported = export(model_of(getattr(ops, name), ((None, 1), dtype)))
    exported.check(DENSE.astype(dtype))
    sizes = ladder(dtype)[:, 0]
    if name in TURNS:
        sizes = sizes[~(np.isfinite(sizes) & (np.abs(sizes) > 1e4))]
    exported.check(sizes[~(np.abs(sizes) > STRANGE.get((name, dtype), np.inf))].reshape(-1, 1))
