"""What the table of limits says of LiteRT's kernels: right within the bound, wrong beyond it.

A runtime that does better fails these tests, so that the table follows.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from exporter import formats
from exporter.capture.inference import Inference
from exporter.formats.tflite.limits import LIMITS
from exporter.spec import Options
from tests.conformance.cases.case import inside

NAN = np.nan
CASES = {  # a function of [1, 4], rows within the bound, rows beyond it
    "AVERAGE_POOL_2D": (lambda x: ops.average_pool(x[..., None], 2), [[1e30, 1, 2, np.inf]], [[NAN, 0, 1, 2]]),
    "COS": (ops.cos, [[1e5, -7e4, 3e3, 0]], [[8.5e6, -1e19, 1e30, 1e7]]),
    "EXP": (ops.exp, [[88.37, -104, np.inf, -np.inf]], [[NAN, 0, 0, 0], [88.5, 0, 0, 0]]),
    "LOG": (ops.log, [[2.4e38, 1e-30, 0, 1]], [[2.41e38, 1, 1, 1]]),
    "LOGISTIC": (ops.sigmoid, [[5e26, -5e26, np.inf, NAN]], [[1e30, 0, 0, 0], [-1e30, 0, 0, 0]]),
    "MAXIMUM": (lambda x: ops.maximum(x, x[:, ::-1]), [[1, 2, np.inf, -np.inf]], [[NAN, 0, 1, 2]]),
    "MAX_POOL_2D": (lambda x: ops.max_pool(x[..., None], 2), [[1e30, 1, 2, np.inf]], [[NAN, NAN, 1, 2]]),
    "MINIMUM": (lambda x: ops.minimum(x, x[:, ::-1]), [[1, 2, np.inf, -np.inf]], [[NAN, 0, 1, 2]]),
    "REDUCE_MAX": (lambda x: ops.max(x, axis=-1), [[1, 2, np.inf, -np.inf]], [[NAN, 0, 1, 2]]),
    "REDUCE_MIN": (lambda x: ops.min(x, axis=-1), [[1, 2, np.inf, -np.inf]], [[NAN, 0, 1, 2]]),
    "RSQRT": (lambda x: ops.rsqrt(ops.maximum(x, 1e-30)), [[8.5e37, 1e-30, 1, np.inf]], [[8.6e37, 1, 1, 1]]),
    "SIN": (ops.sin, [[1e5, -7e4, 3e3, 0]], [[8.5e6, -1e19, 1e30, 1e7]]),
    "SOFTMAX": (ops.softmax, [[1e30, 1, 2, -np.inf]], [[NAN, 0, 1, 2]]),
    "SQRT": (ops.sqrt, [[8.5e37, 1e-30, 0, np.inf]], [[8.6e37, 1, 1, 1]]),
    "TOPK_V2": (lambda x: ops.top_k(x, 2)[0], [[1, 2, np.inf, -np.inf]], [[NAN, 0, 1, 2]]),
}

BY_CPU = ("LOG", "LOGISTIC")  # XNNPACK's kernels for AVX-512 have these bounds, those for older CPUs go further


def test_every_limit_is_tested():
    assert set(CASES) == set(LIMITS)


@pytest.mark.parametrize("op", LIMITS)
def test_the_bound(tmp_path, op):
    function, within, beyond = CASES[op]
    x = keras.Input((4,), name="x")
    inference, chosen, path = (
        Inference(keras.Model(x, inside(function)(x))),
        formats.get("tflite"),
        tmp_path / "m.tflite",
    )
    chosen.write(inference, path, Options(), {})
    assert chosen.inspect(path).facts["limits"][op] == LIMITS[op]

    def agrees(row):
        data = {"x": np.array([row], "float32")}
        (found,), (expected,) = chosen.open(path).run(data).values(), inference.predict(data).values()
        return np.allclose(found, expected, rtol=1e-5, atol=0, equal_nan=True)  # float32; EXP is off by 32 steps

    assert all(agrees(row) for row in within)
    assert op in BY_CPU or not any(agrees(row) for row in beyond)
