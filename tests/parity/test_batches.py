"""Rows are fed in portions of the batch that a file has, and come back in order."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.parity.batches import fixed_batch, rows_of, run_in_chunks
from exporter.spec import TensorInfo


@pytest.mark.parametrize(("rows", "calls"), [(1, 1), (4, 1), (5, 2), (9, 3)])
def test_portions_are_filled_up_and_cut_again(rows, calls):
    seen = []

    def run(arrays):
        seen.append(arrays["x"].shape)
        return {"y": arrays["x"] * arrays["factor"]}

    x = np.arange(rows * 2.0).reshape(rows, 2)
    result = run_in_chunks(run, {"x": x, "factor": np.float32(3)}, 4, ["x"])

    assert seen == [(4, 2)] * calls
    np.testing.assert_array_equal(result["y"], 3 * x)


def test_rows_are_counted_on_the_inputs_that_have_a_batch():
    inputs = (TensorInfo("factor", (), "float32"), TensorInfo("x", (None, 2), "float32"))
    assert rows_of({"factor": np.float32(1), "x": np.zeros((6, 2))}, inputs) == 6
    assert fixed_batch(inputs) is None
    assert fixed_batch((TensorInfo("x", (3, 2), "float32"),)) == 3
