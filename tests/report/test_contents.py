from __future__ import annotations

import dataclasses
import io
from pathlib import Path

from rich.console import Console

from exporter.report.contents import print_inspection
from tests.report.conftest import inspection


def printed(subject):
    stream = io.StringIO()
    print_inspection(Path("model.onnx"), subject, Console(file=stream, width=80, highlight=False))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_everything_in_its_place():
    assert printed(inspection("onnx")) == [
        "model.onnx  ONNX, 184 kB",
        "input   image  float32  [?, 8, 8, 1]",
        "output  digit  float32  [?, 10]",
        "",
        "facts",
        "opset       18",
        "transposes  1",
        "",
        "ops",
        "4  Mul",
        "4  Sigmoid",
        "3  Conv",
        "2  Gemm",
        "",
        "metadata",
        "exporter  0.1.0",
    ]


def test_what_is_not_there_has_no_title_and_names_are_not_markup():
    bare = dataclasses.replace(inspection("onnx"), ops={"[red]Op[/]": 1}, facts={}, metadata={})
    assert printed(bare)[3:] == ["", "ops", "1  [red]Op[/]"]
