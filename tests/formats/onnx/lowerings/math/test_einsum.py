"""Einstein sums: products of matrices in every order of axes, sums, diagonals, `...`, stretched axes, specials."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

PAIRS = [
    "bij,bjk->bik",
    "bij,bkj->bki",
    "bij,bjk->ikb",
    "bij,bij->b",
    "bij,bij->bij",
    "bij,bjk->bijk",
    "bij,bjk->",
    "bij,bjk->k",
    "bij,cjk->bcik",
    "...ij,...jk->...ik",
    "bij,bjk",
]
SINGLES = ["bij->bji", "bij->jb", "bij->b", "bij->", "...ij->...ji", "bii->bi", "bii->b", "...ii->...", "bij->ijb"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [4, None])
def test_of_two(dtype, size):
    shape = (None, size, size)
    exported = export(
        model_of(inside(lambda x, y: [ops.einsum(e, x, y) for e in PAIRS]), (shape, dtype), (shape, dtype))
    )
    for rows in (3, 1, 0):
        exported.check(normal(rows, 4, 4).astype(dtype), normal(rows, 4, 4, seed=1).astype(dtype))
    assert not {"Einsum", "Loop"} & set(exported.ops)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_of_one(dtype):
    exported = export(model_of(inside(lambda x: [ops.einsum(e, x) for e in SINGLES]), ((None, 4, 4), dtype)))
    for rows in (3, 1, 0):
        exported.check(normal(rows, 4, 4).astype(dtype))


@pytest.mark.parametrize("dtype", ["int32", "int64", "int8"])
def test_of_integers(dtype):
    """Sums of integers: exact, also where they are large."""
    equations = ["bij,bjk->bik", "bij,bij->b", "bij,bij->bij"]
    exported = export(
        model_of(
            inside(lambda x, y: [ops.einsum(e, x, y) for e in equations]), ((None, 4, 4), dtype), ((None, 4, 4), dtype)
        )
    )
    x = np.random.default_rng(0).integers(-100, 100, (2, 3, 4, 4)).astype(dtype)
    exported.check(*x)
    exported.check(np.full_like(x[0], 127), np.full_like(x[0], -128))


def test_of_strange_numbers():
    x, y = normal(2, 4, 4), normal(2, 4, 4, seed=1)
    x[0, 0, 0], y[1, 2, 1], x[1, 3, 3] = np.nan, np.inf, -np.inf
    function = inside(lambda x, y: [ops.einsum(e, x, y) for e in ["bij,bjk->bik", "bij,bij->bij", "bij,bij->b"]])
    exported = export(model_of(function, ((None, 4, 4), "float32"), ((None, 4, 4), "float32")))
    exported.check(x, y)
    exported.check(np.full((1, 4, 4), 1e30, "float32"), np.full((1, 4, 4), 1e30, "float32"))


def test_of_several_and_of_mixed_dtypes():
    def function(x, y, n):
        return [
            ops.einsum("bij,bjk,bkl->bil", x, y, x),
            ops.einsum("bij,bij,bij->b", x, y, y),
            ops.einsum("bij,bjk->bik", x, n),
            ops.einsum("bij,bjk->bik", n, n),
            ops.einsum("bij,jk->bik", x, np.eye(4, 2, dtype="float32")),
            ops.einsum("ij,bjk->kbi", np.eye(3, 4, dtype="float32"), x),
        ]

    shape = (None, 4, 4)
    exported = export(model_of(inside(function), (shape, "float32"), (shape, "float32"), (shape, "int32")))
    for rows in (2, 1):
        n = np.random.default_rng(0).integers(-9, 9, (rows, 4, 4)).astype("int32")
        exported.check(normal(rows, 4, 4), normal(rows, 4, 4, seed=1), n)


def test_an_axis_of_one_is_stretched():
    def function(x, y):
        return [ops.einsum(e, x, y) for e in ["...ij,...jk->...ik", "...ij,...ij->...ij", "...ij,...ij->..."]]

    exported = export(model_of(inside(function), ((None, 1, 4, 4), "float32"), ((None, 3, 4, 4), "float32")))
    exported.check(normal(2, 1, 4, 4), normal(2, 3, 4, 4))
    exported.check(normal(0, 1, 4, 4), normal(0, 3, 4, 4))
