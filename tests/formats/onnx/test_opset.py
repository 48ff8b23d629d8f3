"""The opset is the lowest that holds the best forms, or the one asked for."""

from __future__ import annotations

import keras
import numpy as np
import onnx_ir as ir
import pytest
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import UsageError
from exporter.formats.onnx.opset import NEWEST, OLDEST, lowest_opset
from exporter.spec import Options


def graph_of(kind, dtype, inputs=1):
    types = [dtype] + [ir.DataType.INT64 if kind == "ReduceMean" else dtype] * (inputs - 1)
    values = [ir.Value(name=f"x{n}", type=ir.TensorType(t)) for n, t in enumerate(types)]
    return ir.Graph(values, [], nodes=[ir.Node("", kind, values)], name="g")


@pytest.mark.parametrize(
    ("kind", "dtype", "inputs", "expected"),
    [
        ("Relu", ir.DataType.FLOAT, 1, 13),
        ("Relu", ir.DataType.INT32, 1, 14),
        ("HardSwish", ir.DataType.FLOAT, 1, 14),
        ("Gelu", ir.DataType.FLOAT, 1, 20),
        ("ReduceMean", ir.DataType.FLOAT, 2, 18),
        ("Concat", ir.DataType.FLOAT, 5, 13),
        ("Equal", ir.DataType.STRING, 2, 19),
    ],
)
def test_the_first_opset_with_the_op_its_inputs_and_their_types(kind, dtype, inputs, expected):
    assert lowest_opset(graph_of(kind, dtype, inputs), OLDEST) == expected


def test_what_a_lowering_wanted_counts():
    assert lowest_opset(graph_of("Relu", ir.DataType.FLOAT), 17) == 17


@pytest.mark.parametrize("opset", [13, 15, 17, 18, 21])
def test_the_opset_asked_for_is_written_and_runs(tmp_path, opset):
    x = keras.Input((8, 8, 3), name="x")
    y = layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(x)))
    path, form, inference = tmp_path / "m.onnx", formats.get("onnx"), Inference(keras.Model(x, y))
    form.write(inference, path, Options(opset=opset), {})

    assert form.inspect(path).facts["opset"] == opset
    image = {"x": np.ones((2, 8, 8, 3), "float32")}
    for name, value in form.open(path).run(image).items():
        np.testing.assert_allclose(value, inference.predict(image)[name], atol=1e-6)  # sums of 27 products near 0.1


@pytest.mark.parametrize("opset", [OLDEST - 1, NEWEST + 1])
def test_an_opset_out_of_range_is_refused(tmp_path, opset):
    x = keras.Input((3,), name="x")
    inference = Inference(keras.Model(x, layers.Dense(2)(x)))
    with pytest.raises(UsageError, match="opset"):
        formats.get("onnx").write(inference, tmp_path / "m.onnx", Options(opset=opset), {})
