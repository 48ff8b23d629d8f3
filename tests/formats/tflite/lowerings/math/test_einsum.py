"""Einstein sums that name an index twice."""

from __future__ import annotations

import numpy as np
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal

EQUATIONS = (
    "bii->bi",
    "bii->b",
    "bij->bji",
    "...ii->...i",
    "...ii->i...",
    "bii,bij->bj",
    "b...ii,bij->b...j",
    "bii,bjj->bij",
)


def test_diagonals_first(layer):
    def call(x):
        wide = ops.stack([x, 2 * x], axis=1)
        return [ops.einsum(e, *([wide] if "..." in e else [x]), *([x] if "," in e else [])) for e in EQUATIONS]

    exported = layer(inside(call), (3, 3), batch="dynamic")
    exported.agrees(normal(1, 3, 3), normal(2, 3, 3, seed=1), np.full((2, 3, 3), 1e30, "float32"))


def test_what_is_not_on_the_diagonal_is_not_read(layer):
    x = np.where(np.eye(3), normal(1, 3, 3), np.nan).astype("float32")
    layer(inside(lambda x: ops.einsum("bii->b", x)), (3, 3)).agrees(x)
