"""Rows are fed in portions of the batch that a file has, and come back in order."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.spec import TensorInfo
from exporter.verification.batches import batched, fixed_batch, in_step, rows_of, run_in_chunks


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


FREE, ONE, TABLE = (
    TensorInfo("x", (None, 2), "float32"),
    TensorInfo("at", (1,), "int32"),
    TensorInfo("t", (9, 2), "int32"),
)


def test_what_is_fixed_beside_a_dynamic_batch_has_no_rows():
    assert batched([ONE, FREE, TABLE]) == ("x",)
    assert rows_of({"at": np.zeros(1), "x": np.zeros((6, 2)), "t": np.zeros((9, 2))}, [ONE, FREE, TABLE]) == 6
    assert fixed_batch([ONE, FREE, TABLE]) is None


def test_the_model_tells_which_dimension_of_a_file_is_the_batch():
    file = [TABLE, TensorInfo("x", (4, 2), "float32")]
    assert fixed_batch(file, [TABLE, FREE]) == 4


def test_inputs_fixed_to_several_sizes_have_no_batch():
    inputs = [TABLE, TensorInfo("edges", (4, 2), "int32")]
    assert batched(inputs) == ()
    assert fixed_batch(inputs) is None
    assert batched([TABLE, TensorInfo("u", (9,), "int32")]) == ("t", "u")


def test_in_step_are_inputs_of_one_number_of_rows():
    inputs = [FREE, TensorInfo("edges", (None, 2), "int32"), ONE]
    assert in_step({"x": np.zeros((3, 2)), "edges": np.zeros((3, 2)), "at": np.zeros(1)}, inputs)
    assert not in_step({"x": np.zeros((3, 2)), "edges": np.zeros((4, 2)), "at": np.zeros(1)}, inputs)
