"""A file has the model's names, in the model's order; or those that Keras counted when the file was written."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from exporter.errors import InvalidArtifactError
from exporter.spec import TensorInfo
from exporter.verification.interface import fitted


def infos(*names, dtype="float32"):
    return tuple(TensorInfo(name, (None, 2), dtype) for name in names)


class File:
    remarks = ("runs",)

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, outputs

    def run(self, inputs):
        return {o.name: inputs[i.name] + n for n, (i, o) in enumerate(zip(self.inputs, self.outputs, strict=True))}


def test_a_file_of_the_same_names_is_taken_as_it_is():
    file = File(infos("a"), infos("b"))
    assert fitted(file, file, {"a", "b"}) is file


def test_names_that_count_from_elsewhere_are_the_models():
    file = File(infos("input_layer_3", "input_layer_4"), infos("dense_7", "head"))
    model = SimpleNamespace(inputs=infos("input_layer", "input_layer_1"), outputs=infos("dense_1", "head"))

    found = fitted(file, model, {"input_layer", "input_layer_1", "dense_1"})

    assert (found.inputs, found.outputs) == (model.inputs, model.outputs)
    result = found.run({"input_layer": np.zeros(2), "input_layer_1": np.ones(2)})
    assert {name: list(array) for name, array in result.items()} == {"dense_1": [0, 0], "head": [2, 2]}
    assert found.remarks[0] == "runs"
    assert "dense_7 is now dense_1" in found.remarks[1]


def test_another_tool_may_order_the_inputs_as_it_likes():
    model = SimpleNamespace(inputs=infos("query", "item"), outputs=infos("scores"))
    file = File(infos("item", "query"), infos("scores"))
    assert fitted(file, model, foreign=True) is file
    with pytest.raises(InvalidArtifactError, match="the file's inputs are not the model's"):
        fitted(file, model)
    with pytest.raises(InvalidArtifactError, match="the file's inputs are not the model's"):
        fitted(File(infos("item", "item"), infos("scores")), model, foreign=True)


@pytest.mark.parametrize(
    ("found", "wanted", "counted"),
    [
        (infos("dense_3"), infos("dense"), set()),  # the user's own name, or a file that was just written
        (infos("dense_1", "dense"), infos("dense", "dense_1"), {"dense", "dense_1"}),
        (infos("dense_3", "dense_4"), infos("dense"), {"dense"}),
        (infos("dense_3", dtype="int32"), infos("dense"), {"dense"}),
        (infos("embedding_3"), infos("dense_3"), {"dense_3"}),
    ],
)
def test_other_names_orders_and_dtypes_are_refused(found, wanted, counted):
    model = SimpleNamespace(inputs=infos("x"), outputs=wanted)
    with pytest.raises(InvalidArtifactError, match="the file's outputs are not the model's"):
        fitted(File(infos("x"), found), model, counted)
