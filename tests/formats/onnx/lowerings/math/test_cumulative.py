"""Cumulative sums and products along every axis, both ways, with and without the element itself."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

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


def rows_of_many(dtype):
    """Return rows of 70 factors whose partial products overflow, vanish or are NaN, in another order than one by one."""
    large = 1e30 if dtype == "float32" else 1e250
    starts = [
        [large, large, 0],
        [0, np.inf],
        [np.inf, 0],
        [np.nan, 0],
        [0, np.nan],
        [large, large, 1 / large, 1 / large],
        [1 / large, 1 / large, large, large],
        [large, 1 / large] * 20,
        [1] * 30 + [large, large, 1 / large, 1 / large, 1 / large],
        [1] * 10 + [1 / large, 1 / large] + [1] * 28 + [large, large],
        [-np.inf, 1, 1, -2, -0.0],
        [1, -0.0, -1],
    ]
    rows = 1 + 0.05 * np.random.default_rng(0).normal(size=(len(starts) + 3, 70))
    for row, start in zip(rows, starts, strict=False):
        row[: len(start)] = start
    rows[-3:] = [[0] * 70, [1.5] * 70, [0.5] * 70]
    return rows.astype(dtype)


@pytest.mark.parametrize("opset", [13, None])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("length", [70, None])
def test_products_of_many(length, dtype, opset):
    """One factor after the other, in whatever op."""

    def function(x):
        turned = ops.transpose(x[:, None] + ops.zeros((1, 2, 1), dtype), (2, 0, 1))
        return [*(tf.math.cumprod(x, 1, **w) for w in WAYS), ops.cumprod(turned, 0), ops.cumprod(x[0])]

    exported = export(model_of(inside(function), ((None, length), dtype)), opset=opset)
    whole = dtype.startswith("int")
    exported.check(np.random.default_rng(0).integers(-9, 10, (4, 70)).astype(dtype) if whole else rows_of_many(dtype))
    if whole:
        exported.check(np.full((1, 70), np.iinfo(dtype).max, dtype))
        exported.check(np.full((1, 70), np.iinfo(dtype).min, dtype))
    if length is None:
        exported.check(np.full((2, 1), 3, dtype))
        exported.check(np.zeros((2, 0), dtype))
    assert exported.ops["CumProd" if opset is None else "Scan"] == 6


@pytest.mark.parametrize("opset", [13, None])
def test_products_of_many_in_no_rows(opset):
    model = model_of(inside(lambda x: [tf.math.cumprod(x, 1, **w) for w in WAYS]), ((None, 100), "float32"))
    export(model, opset=opset).check(normal(0, 100))


@pytest.mark.parametrize("opset", [13, None])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16"])
def test_products_of_many_that_keras_widens(dtype, opset):
    x = np.random.default_rng(0).integers(0, 2, (2, 70)).astype(dtype)
    export(model_of(lambda x: ops.cumprod(x, 1), ((None, 70), dtype)), opset=opset).check(x)


def test_sums_along_an_unknown_axis():
    exported = export(model_of(inside(lambda x: [tf.cumsum(x, 1, **w) for w in WAYS]), ((None, None, 2), "float32")))
    for shape in ((2, 7, 2), (1, 1, 2), (2, 0, 2)):
        exported.check(normal(*shape))
    assert exported.ops["CumSum"] == 4
