"""A file in ONNX Runtime: in which precision it computes is told by who wrote it."""

from __future__ import annotations

import keras
import onnx
import pytest
from onnx import TensorProto, helper

from exporter import export
from exporter.formats.onnx.runner import OnnxRunner


def half(path):
    """A file of another tool that adds in float16."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT16, [None, 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "half", [x], [y])
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, producer_name="other", opset_imports=opsets, ir_version=9), path)


@pytest.mark.parametrize("ours", [True, False])
def test_our_writer_makes_float32_of_16_bit_floats_and_others_leave_them(tmp_path, ours):
    if ours:
        x = keras.Input((2,), name="x")
        model = keras.Model(x, keras.layers.Dense(2, dtype="mixed_float16", name="y")(x))
        export(model, tmp_path / "out", formats=("onnx",), verify=False).raise_for_status()
        path = tmp_path / "out" / "model.onnx"
    else:
        half(path := tmp_path / "half.onnx")
    assert OnnxRunner(path).arithmetic.get("float16", "float16") == ("float32" if ours else "float16")
