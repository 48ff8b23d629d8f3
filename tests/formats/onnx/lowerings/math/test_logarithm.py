"""log1p, expm1, softplus and what is made of them: near 0, in the tails, at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal
from tests.formats.onnx.lowerings.values import ladder

NEAR = np.concatenate([s * np.logspace(-30, 1.9, 160) for s in (1, -1)]).reshape(-1, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["log1p", "expm1", "softplus", "log", "log2", "log10", "exp"])
def test_values(name, dtype):
    exported = export(model_of(inside(getattr(ops, name)), ((None, 1), dtype)))
    exported.check(NEAR.astype(dtype))
    exported.check(ladder(dtype))
    exported.check(NEAR[:0].astype(dtype))
    assert not {"Softplus", "Loop", "If"} & set(exported.ops)


@pytest.mark.parametrize("name", ["log1p", "expm1", "softplus"])
def test_small_numbers_keep_their_digits(name):
    """Error relative to each result, not to the largest: log(1 + x) and exp(x) - 1 taken literally lose all digits."""
    x = np.float32(np.concatenate([s * np.logspace(-20, -0.31, 200) for s in (1, -1)])).reshape(-1, 1)
    exported = export(model_of(inside(getattr(ops, name)), ((None, 1), "float32")))
    (result,) = exported.runner.run({exported.inference.inputs[0].name: x}).values()
    expected = {"log1p": np.log1p, "expm1": np.expm1, "softplus": lambda v: np.logaddexp(0, v)}[name](x.astype(float))
    np.testing.assert_allclose(result, expected, rtol=1e-6)  # 8 units in the last place


@pytest.mark.parametrize("axis", [None, 1, -1, (1, 2)])
def test_sums_of_exponentials(axis):
    exported = export(
        model_of(inside(lambda x: [ops.logsumexp(x, axis), ops.logsumexp(x, axis, True)]), ((None, 4, 3), "float32"))
    )
    x = normal(3, 4, 3)
    for scale in (1, 100, 1e30):
        exported.check((x * scale).astype("float32"))
    assert "ReduceLogSumExp" not in exported.ops


def test_two_at_once():
    exported = export(
        model_of(inside(lambda x, y: [ops.logaddexp(x, y)]), ((None, 1), "float32"), ((None, 1), "float32"))
    )
    x = np.float32([0, 1, -1, 88, -200, 1e30, -1e30, 5, 5]).reshape(-1, 1)
    exported.check(x, x[::-1].copy())
    exported.check(x, x)
