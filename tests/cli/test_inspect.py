from __future__ import annotations

import jsonschema
import pytest

from exporter import formats
from exporter.report.document import schema
from tests.report.conftest import inspection


@pytest.fixture
def file(monkeypatch, tmp_path):
    """A file whose format says what is in it."""

    class Fake:
        def inspect(self, path):
            return inspection("onnx")

    monkeypatch.setattr(formats, "of_path", lambda path: Fake())
    return tmp_path / "model.onnx"


def test_text(kx, file):
    answer = kx("inspect", file)
    assert answer.code == 0
    for word in (str(file), "184 kB", "[?, 8, 8, 1]", "Sigmoid", "opset", "18"):
        assert word in answer.out.replace("\n", "")


def test_json(kx, file):
    answer = kx("inspect", file, "--json")
    jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/inspection"})


@pytest.mark.parametrize("name", ["missing.onnx", "notes.txt", ""])
def test_what_is_not_an_artifact(kx, tmp_path, name):
    (tmp_path / "notes.txt").write_text("notes")
    answer = kx("inspect", tmp_path / name)
    assert answer.code == 2
    assert "fix" in answer.err
