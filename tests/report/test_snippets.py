"""That the programs run is tested with real files in tests/cli/test_end_to_end.py."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from exporter.report.snippets import snippet
from exporter.spec import Artifact, TensorInfo


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((None, 8, 8, 1), "float32", np.zeros((1, 8, 8, 1), "float32")),
        ((None,), "int64", np.zeros((1,), "int64")),
        ((), "bool", np.zeros((), "bool")),
        ((2, None), "string", np.full((2, 1), b"", dtype=object)),
    ],
)
@pytest.mark.parametrize("form", ["saved_model", "tflite", "onnx"])
def test_the_inputs_have_the_names_shapes_and_dtypes_of_the_model(passed, form, shape, dtype, expected):
    name = 'a "quoted": name\\é'
    inspection = dataclasses.replace(passed[form].inspection, inputs=(TensorInfo(name, shape, dtype),))
    program = snippet(dataclasses.replace(passed[form], inspection=inspection))
    compile(program, "snippet", "exec")
    assignment = program[program.index("inputs = {") : program.index("\n}\n") + 2]
    inputs = {}
    exec(assignment, {"np": np}, inputs)
    [(given, value)] = inputs["inputs"].items()
    assert given == name
    assert value.dtype == expected.dtype
    np.testing.assert_array_equal(value, expected)


def test_nothing_is_said_where_nothing_is_known(passed):
    onnx = passed["onnx"]
    assert snippet(Artifact("onnx", onnx.path)) is None
    assert snippet(dataclasses.replace(onnx, path=None)) is None
    assert snippet(dataclasses.replace(onnx, format="another")) is None
