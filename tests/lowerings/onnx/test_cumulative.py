"""Cumulative sums and products along every axis, both ways, with and without the element itself."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.lowerings.onnx.exported import export, inside, model_of, normal

WAYS = [{"exclusive": e, "reverse": r} for e in (False, True) for r in (False, True)]


def strange():
    x = normal(2, 5, 3)
    x[0, 1], x[1, 2], x[1, 4] = [np.nan, np.inf, -np.inf], [3.4e38, -3.4e38, 0.0], [3.4e38, 1e30, -0.0]
    return x


def functions(x):
    sums = [tf.cumsum(x, axis, **way) for axis in (0, 1, -1) for way in WAYS]
    products = [tf.math.cumprod(x, axis, **way) for axis in (1, -1) for way in WAYS]
    turned = ops.transpose(x, (2, 0, 1))
    return [*sums, *products, ops.cumsum(turned, 0), ops.cumprod(turned, 0), ops.cumsum(x, 1)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_values(dtype):
    exported = export(model_of(inside(functions), ((None, 5, 3), dtype)))
    small = np.random.default_rng(0).integers(-4, 5, (2, 5, 3)).astype(dtype)
    exported.check(small)
    exported.check(small[:1])
    exported.check(small[:0])
    if dtype == "float32":
        exported.check(strange())
    if dtype.startswith("int"):
        exported.check(np.full((1, 5, 3), np.iinfo(dtype).max, dtype))
    assert exported.ops["CumSum"] >= 12
    assert not {"Loop", "CumProd"} & set(exported.ops)


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16"])
def test_what_keras_widens(dtype):
    exported = export(model_of(inside(lambda x: [ops.cumsum(x, 1), ops.cumprod(x, 1)]), ((None, 5), dtype)))
    exported.check(np.array([[0, 1, 1, 0, 1], [1, 1, 1, 1, 1]]).astype(dtype))


def test_of_everything():
    exported = export(model_of(inside(lambda x: [ops.cumsum(x), ops.cumsum(x, 0)]), ((None, 4), "float32")))
    for rows in (3, 1, 0):
        exported.check(normal(rows, 4))


def test_products_of_many():
    """Beyond 64 factors partial products are shared, which rounds and overflows otherwise than one after the other."""
    exported = export(model_of(inside(lambda x: [tf.math.cumprod(x, 1, **w) for w in WAYS]), ((None, 100), "float32")))
    exported.check(1 + 0.1 * normal(3, 100))
    exported.check(np.sign(normal(3, 100)))
    exported.check(normal(0, 100))
    assert exported.ops["Mul"] <= 28


def test_sums_along_an_unknown_axis():
    exported = export(model_of(inside(lambda x: [tf.cumsum(x, 1, **w) for w in WAYS]), ((None, None, 2), "float32")))
    for shape in ((2, 7, 2), (1, 1, 2), (2, 0, 2)):
        exported.check(normal(*shape))
    assert exported.ops["CumSum"] == 4
