from __future__ import annotations

import dataclasses
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from exporter import errors
from exporter.report.document import schema
from exporter.run.progress import Lines, Silent
from exporter.spec import TensorInfo


def test_the_defaults(kx, work, passed):
    export = work("export", passed)
    answer = kx("export", "m.keras", "-o", "out")
    assert answer.code == 0
    [((model, output), options)] = export.calls
    assert (model, output) == (Path("m.keras"), Path("out"))
    progress = options.pop("progress")
    assert isinstance(progress, Lines)  # not a terminal
    assert options == {
        "formats": ("saved_model", "tflite", "onnx"),
        "batch": "dynamic",
        "tflite_batch": 1,
        "input_signature": None,
        "labels": None,
        "allow_flex": False,
        "tolerance": None,
        "keep_verified": False,
        "opset": None,
        "custom_objects": {},
        "verify": True,
        "samples": None,
        "trust": False,
    }


def test_every_option_arrives(kx, work, passed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    Path("my_layers_of_test_export.py").write_text("class Mine: pass\n")
    Path("labels.txt").write_bytes("\ufeffcat\r\ndög\r\n".encode())
    np.savez("data.npz", image=np.ones((2, 3), "float32"))
    export = work("export", passed)
    answer = kx(
        *("export", "m.h5", "--output", "out", "--to", "onnx, tflite", "--custom", "my_layers_of_test_export"),
        *("--batch", "4", "--tflite-batch", "dynamic", "--opset", "18", "--samples", "data.npz", "--trust"),
        *("--labels", "labels.txt", "--shape", "image=224,224,3", "--shape", "a=b=?,7"),
        *("--input", "ids=int32[?,128]", "--input", "at=bool[]"),
        *("--no-verify", "-q", "--allow-flex", "--micro", "--tolerance", "1e-3", "--keep-verified"),
    )
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    [(_, options)] = export.calls
    assert isinstance(options.pop("progress"), Silent)
    samples = options.pop("samples")
    assert {name: a.tolist() for name, a in samples.items()} == {"image": [[1, 1, 1], [1, 1, 1]]}
    assert list(options.pop("custom_objects")) == ["Mine"]
    assert options == {
        "formats": ("onnx", "tflite", "micro"),
        "batch": 4,
        "tflite_batch": "dynamic",
        "labels": ["cat", "dög"],
        "allow_flex": True,
        "tolerance": 1e-3,
        "keep_verified": True,
        "input_signature": {
            "image": (224, 224, 3),
            "a=b": (None, 7),
            "ids": TensorInfo("ids", (None, 128), "int32"),
            "at": TensorInfo("at", (), "bool"),
        },
        "opset": 18,
        "verify": False,
        "trust": True,
    }


def test_a_table_on_standard_output_and_progress_on_the_other(kx, work, passed):
    work("export", passed)
    answer = kx("export", "m.keras", "-o", "out")
    assert "All 3 formats are verified against Keras" in answer.out
    assert answer.err.split() == ["0.0", "s", "Working"]
    assert "noise" not in answer.out + answer.err


def test_verbose_shows_what_libraries_write(kx, work, passed):
    work("export", passed)
    assert "noise of a library" in kx("export", "m.keras", "-o", "out", "-v").out


def test_json_is_one_valid_document(kx, work, passed, failed):
    for report in (passed, failed):
        work("export", report)
        answer = kx("export", "m.keras", "-o", "out", "--json")
        jsonschema.validate(answer.json, schema())
        assert answer.json["ok"] == report.ok
        assert "Working" in answer.err


def test_a_failed_export_is_told_on_standard_error(kx, work, failed):
    work("export", failed)
    answer = kx("export", "m.keras", "-o", "out")
    assert answer.code == errors.UnsupportedError.exit_code  # the first that stopped a format
    assert answer.out == ""
    assert "2 of 3 formats failed" in answer.err
    assert "leave --to tflite out" in answer.err
    assert kx("export", "m.keras", "-o", "out", "-q").err != ""


@pytest.mark.parametrize(
    ("format_name", "drop_error", "code"), [("onnx", False, 6), ("onnx", True, 6), ("tflite", False, 4)]
)
def test_the_exit_code_is_that_of_what_failed(kx, work, failed, format_name, drop_error, code):
    artifact = failed[format_name]
    if drop_error:  # a difference to Keras that nobody put into words is one all the same
        artifact = dataclasses.replace(artifact, error=None)
    work("export", dataclasses.replace(failed, artifacts=(failed["saved_model"], artifact), problems=()))
    assert kx("export", "m.keras", "-o", "out").code == code


def test_a_model_refused_by_the_checks(kx, work, failed):
    work("export", dataclasses.replace(failed, artifacts=()))
    answer = kx("export", "m.keras", "-o", "out")
    assert answer.code == errors.UnsupportedError.exit_code
    assert "replace it by keras.ops" in answer.err


@pytest.mark.parametrize("content", [b"", b"not an array", b"PK\x03\x04broken", None])
def test_samples_that_cannot_be_read(kx, work, passed, tmp_path, content):
    export = work("export", passed)
    path = tmp_path / "data.npz"
    if content is not None:
        path.write_bytes(content)
    answer = kx("export", "m.keras", "-o", "out", "--samples", path)
    assert answer.code == 2
    assert "the samples cannot be read" in answer.err
    assert "Errno" not in answer.err
    assert "numpy.savez" in answer.err
    assert export.calls == []


def test_samples_with_python_objects_are_refused(kx, work, passed, tmp_path):
    work("export", passed)
    np.savez(tmp_path / "data.npz", image=np.array([{"a": 1}], dtype=object))
    answer = kx("export", "m.keras", "-o", "out", "--samples", tmp_path / "data.npz")
    assert answer.code == 2
    assert "allow_pickle" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--batch", "0"),
        ("--batch", "-1"),
        ("--batch", "many"),
        ("--tflite-batch", "1.5"),
        ("--opset", "0"),
        ("--opset", "x"),
        ("--to", ","),
        ("--to", "coreml"),
        ("--custom", "no_such_module_at_all"),
        ("--unknown",),
        ("surplus",),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_wrong_argument_is_a_usage_error(kx, tmp_path, arguments, as_json):
    answer = kx("export", "m.keras", "-o", tmp_path / "out", *arguments, *(["--json"] if as_json else []))
    assert answer.code == 2
    if as_json:
        jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/failure"})
        assert answer.json["error"]["exit_code"] == 2
    else:
        assert answer.out == ""
        assert answer.err != ""
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_answered_with_the_known_ones(kx, tmp_path):
    assert "onnx, ort, saved_model, tflite" in kx("export", "m.keras", "-o", tmp_path / "out", "--to", "coreml").err


@pytest.mark.parametrize("shape", ["224,224,3", "image=", "image=a,3", "=3", "image=0,3", "image=-1"])
def test_a_shape_that_is_none(kx, work, passed, shape):
    export = work("export", passed)
    answer = kx("export", "m.keras", "-o", "out", "--shape", shape)
    assert answer.code == errors.UsageError.exit_code
    assert "image=224,224,3" in answer.err
    assert not export.calls


@pytest.mark.parametrize(
    "text", ["ids", "ids=int32", "ids=[?,1]", "=int32[?]", "ids=int32[a]", "ids=int32[0]", "ids=int33[?]"]
)
def test_an_input_that_is_none(kx, work, passed, text):
    export = work("export", passed)
    answer = kx("export", "m.keras", "-o", "out", "--input", text)
    assert answer.code == errors.UsageError.exit_code
    assert "int32" in answer.err
    assert not export.calls


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_labels_that_cannot_be_read(kx, work, passed, tmp_path, content):
    export = work("export", passed)
    if content is not None:
        (tmp_path / "labels.txt").write_bytes(content)
    answer = kx("export", "m.keras", "-o", "out", "--labels", tmp_path / "labels.txt")
    assert answer.code == errors.UsageError.exit_code
    assert "labels cannot be read" in answer.err
    assert "Errno" not in answer.err
    assert not export.calls
