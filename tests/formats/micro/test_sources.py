"""The sources for microcontrollers, written and read without the interpreter."""

from __future__ import annotations

import json

import keras
import pytest
from keras import layers

import exporter
from exporter import formats
from exporter.errors import InvalidArtifactError, MissingRuntimeError, UnsupportedError
from exporter.formats import micro
from exporter.formats.micro import resolver, sources
from exporter.formats.micro.resolver import method_of


@pytest.fixture(autouse=True)
def without_interpreter(monkeypatch):
    monkeypatch.setattr(micro, "has_runtime", lambda: False)


def model(*stack, shape=(8, 8, 1)):
    return keras.Sequential([keras.Input(shape), *stack])


def classifier():
    return model(layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(5, activation="softmax"))


def test_what_lies_on_disk(tmp_path):
    report = exporter.export(classifier(), tmp_path / "out", ("tflite", "micro"), verify=False)
    report.raise_for_status()
    names = {f.name for f in (tmp_path / "out").iterdir()}
    assert names == {"model.tflite", "model_data.cc", "model_data.h", "report.json", "report.html"}
    assert [a["format"] for a in json.loads((tmp_path / "out" / "report.json").read_text())["artifacts"]] == [
        "tflite",
        "micro",
    ]


def test_the_array_is_a_model_without_metadata(tmp_path):
    exporter.export(classifier(), tmp_path / "out", ("micro",), verify=False).raise_for_status()
    path = tmp_path / "out" / "model_data.cc"
    content = sources.read_array(path)
    assert content[4:8] == b"TFL3"
    assert f"g_model_data_size = {len(content)};" in path.read_text()
    found = formats.of_path(path).inspect(path)
    assert found.format == "micro"
    assert found.metadata == {}
    assert found.ops["CONV_2D"] == 1
    assert found.facts["flash_bytes"] == len(content)
    assert found.facts["resolver"] == ["AddConv2D", "AddFullyConnected", "AddReshape", "AddSoftmax"]


def test_the_missing_interpreter_is_told(tmp_path):
    report = exporter.export(classifier(), tmp_path / "out", ("micro",), verify=False)
    facts = report["micro"].inspection.facts
    assert facts["arena_bytes"] is None
    assert "keras-exporter[micro]" in facts["remarks"][0]
    assert "Not measured" in (tmp_path / "out" / "model_data.h").read_text()


def test_it_is_an_error_where_the_file_is_to_be_verified(tmp_path):
    report = exporter.export(classifier(), tmp_path / "out", ("micro",))
    assert isinstance(report.failure, MissingRuntimeError)
    assert report.failure.exit_code == 7
    assert not (tmp_path / "out").exists()


def test_an_op_without_kernel_is_refused(tmp_path):
    report = exporter.export(model(layers.Dense(3, activation="gelu")), tmp_path / "out", ("micro",), verify=False)
    assert isinstance(report.failure, UnsupportedError)
    assert report.failure.where == "GELU"


def test_a_dynamic_size_is_refused(tmp_path):
    report = exporter.export(
        model(layers.GRU(2), shape=(None, 3)), tmp_path / "out", ("micro",), tflite_batch="dynamic", verify=False
    )
    assert isinstance(report.failure, UnsupportedError)
    assert "--tflite-batch" in report.failure.remedy


def test_every_array_comes_back(tmp_path):
    for content in (b"\x00", bytes(range(256)), b"\xff" * 33):
        sources.write_sources(tmp_path / "m.cc", content, ["AddAdd", "AddMul"], 1234)
        assert sources.read_array(tmp_path / "m.cc") == content
        assert sources.read_header(tmp_path / "m.h") == (["AddAdd", "AddMul"], 1234)


def test_another_source_file_is_invalid(tmp_path):
    path = tmp_path / "model_data.cc"
    path.write_text("int main() { return 0; }\n")
    with pytest.raises(InvalidArtifactError, match="g_model_data"):
        formats.get("micro").inspect(path)


@pytest.mark.parametrize(
    ("op", "method"), [("CONV_2D", "AddConv2D"), ("PADV2", "AddPadV2"), ("RELU6", "AddRelu6"), ("SPLIT_V", "AddSplitV")]
)
def test_methods_of_the_resolver(op, method):
    assert method_of(op) == method


def test_the_ops_are_those_of_the_format():
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    assert set(resolver.METHODS) <= set(vars(BuiltinOperator))
