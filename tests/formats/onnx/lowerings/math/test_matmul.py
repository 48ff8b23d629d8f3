"""Products of matrices and vectors: turned, broadcast, of integers, of nothing, and cross products."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal


def products(x, y):
    return [
        ops.matmul(x, y),
        ops.matmul(ops.swapaxes(x, 1, 2), ops.swapaxes(y, 1, 2)),
        ops.matmul(x, y[0]),
        ops.matmul(x[0], y),
        ops.matmul(x[:, None], y[None]),
        ops.matmul(x, y[0, :, 0]),
        ops.matmul(x[0, 0], y),
        ops.dot(x, y[0]),
        ops.dot(x[0], y[0]),
        ops.inner(x[0], ops.transpose(y[0])),
        ops.outer(x[0, 0], y[0, 0]),
        ops.vdot(x[0, 0], y[0, :, 0]),
        ops.tensordot(x, y, axes=[[2], [1]]),
        ops.tensordot(x, y[0], axes=1),
        ops.sum(x * ops.swapaxes(y, 1, 2), axis=-1),
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("sizes", [(3, 4, 3), (None, None, None)], ids=["known", "dynamic"])
def test_products(dtype, sizes):
    m, n, k = sizes
    exported = export(model_of(inside(products), ((None, m, n), dtype), ((None, n, k), dtype)))
    for rows in (2, 1):
        x = np.random.default_rng(0).integers(-9, 9, (rows, 3, 4)).astype(dtype)
        y = np.random.default_rng(1).integers(-9, 9, (rows, 4, 3)).astype(dtype)
        exported.check(x, y)
    assert not {"Loop", "Einsum"} & set(exported.ops)


def test_strange_numbers_and_no_rows():
    exported = export(model_of(inside(ops.matmul), ((None, 3, 4), "float32"), ((None, 4, 2), "float32")))
    x, y = normal(2, 3, 4), normal(2, 4, 2)
    x[0, 0, 0], x[0, 1, 1], y[1, 2, 1] = np.nan, np.inf, -np.inf
    exported.check(x, y)
    exported.check(np.full((1, 3, 4), 1e30, "float32"), np.full((1, 4, 2), 1e30, "float32"))
    exported.check(normal(0, 3, 4), normal(0, 4, 2))
    assert set(exported.ops) == {"MatMul"}


def test_no_inner_axis():
    exported = export(model_of(inside(ops.matmul), ((None, 3, 0), "float32"), ((None, 0, 2), "float32")))
    exported.check(normal(2, 3, 0), normal(2, 0, 2))


@pytest.mark.parametrize(("inner", "op"), [(1024, "MatMul"), (1025, "MatMulInteger")])
def test_bytes_at_their_extremes(inner, op):
    """Up to 1024 products of 2¹⁴ float32 holds exactly; more go into int32."""
    shape = ((None, 2, inner), "int8"), ((None, inner, 2), "int8")
    exported = export(model_of(inside(ops.matmul), *shape))
    x = np.random.default_rng(0).integers(-128, 128, (1, 2, inner)).astype("int8")
    exported.check(np.full((1, 2, inner), -128, "int8"), np.full((1, inner, 2), -128, "int8"))
    exported.check(x, np.swapaxes(x, 1, 2).copy())
    exported.check(x, np.full((1, inner, 2), 127, "int8"))
    assert exported.ops[op] == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_turned_by_tensorflow(dtype):
    def function(x, y):
        return [
            tf.matmul(x, y, transpose_a=True),
            tf.matmul(x, y, transpose_b=True),
            tf.matmul(x, y, transpose_a=True, transpose_b=True),
            tf.matmul(x[0], y[0], adjoint_a=True),
            tf.matmul(x[0], y[0], transpose_b=True),
        ]

    exported = export(model_of(inside(function), ((None, 3, 3), dtype), ((None, 3, 3), dtype)))
    exported.check(normal(2, 3, 3).astype(dtype), normal(2, 3, 3, seed=1).astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_cross_products(dtype):
    def function(x, y):
        return [ops.cross(x, y), ops.cross(x[:, :, :2], y), ops.cross(x, y, axisc=0), ops.cross(y, x[:1, :1])]

    exported = export(model_of(inside(function), ((None, 4, 3), dtype), ((None, 4, 3), dtype)))
    x = np.random.default_rng(0).integers(-9, 9, (2, 4, 3)).astype(dtype)
    exported.check(x, x[:, ::-1].copy())
    exported.check(x[:1], x[1:])
