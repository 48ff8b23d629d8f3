"""QR decomposition with the signs of LAPACK."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


@pytest.mark.parametrize(("m", "n"), [(4, 4), (5, 3), (2, 4), (1, 1)])
def test_tall_and_wide(layer, m, n):
    exported = layer(inside(lambda x: (*ops.qr(x), *ops.qr(x, mode="complete"))), (m, n), batch="dynamic")
    exported.agrees(normal(1, m, n), normal(3, m, n, seed=1))


def test_columns_that_need_no_turning(layer):
    exported = layer(inside(ops.qr), (3, 3))
    exported.agrees(np.eye(3, dtype="float32")[None], np.triu(normal(1, 3, 3)), -np.eye(3, dtype="float32")[None])
