"""Reports as exports write them: one where all is well, one where much is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.errors import ParityError, UnsupportedError
from exporter.spec import Artifact, Inspection, OutputParity, Parity, Problem, Report, TensorInfo

DIRECTORY = Path("dist/digits")
INPUTS = (TensorInfo("image", (None, 8, 8, 1), "float32"),)
OUTPUTS = (TensorInfo("digit", (None, 10), "float32"),)
VERSIONS = {"exporter": "0.1.0", "keras": "3.15.1", "tensorflow": "2.21.0", "onnx": "1.23.0"}


def parity(*ratios, top1=None, note=""):
    tolerance = 3e-6
    outputs = (
        OutputParity("digit", f"normal, batch {n}", ratio * tolerance, tolerance, 1.0, 2e-7, note)
        for n, ratio in enumerate(ratios, 1)
    )
    return Parity(tuple(outputs), "float64", top1=top1, rows=360, notes=("the first note",))


def inspection(form, size=184_320):
    ops = {"Conv": 3, "Gemm": 2, "Sigmoid": 4, "Mul": 4}
    return Inspection(form, INPUTS, OUTPUTS, ops, size, {"opset": 18, "transposes": 1}, {"exporter": "0.1.0"})


@pytest.fixture
def passed():
    artifacts = (
        Artifact("saved_model", DIRECTORY / "saved_model", 3.2, inspection("saved_model"), parity(0.1, 0.2, top1=1.0)),
        Artifact("tflite", DIRECTORY / "model.tflite", 12.0, inspection("tflite", 96_100), parity(0.3, 0.42, top1=1.0)),
        Artifact("onnx", DIRECTORY / "model.onnx", 2.5, inspection("onnx", 97_500), parity(0.0, 0.25, top1=1.0)),
    )
    return Report(
        "digits",
        DIRECTORY,
        artifacts,
        source={"parameters": 23_456, "sha256": "ab" * 32, "inputs": INPUTS},
        versions=VERSIONS,
        data={"source": "scikit-learn digits, test set", "rows": 360},
    )


@pytest.fixture
def failed():
    different = ParityError(
        "model.onnx computes something else than Keras",
        where="output digit, normal, batch 3",
        reason="error 4.1e-03, allowed 3.0e-06",
        remedy="run kx locate",
    )
    refused = UnsupportedError(
        "the model has an op that TFLite lacks",
        where="layer 'spectrum' (<b>FFT</b>)",
        reason="FFT2D [complex64] has no builtin",
        remedy="leave --to tflite out",
    )
    problems = (
        Problem("layer 'code'", "a Lambda holds code", "replace it by keras.ops", ("tflite",)),
        Problem("layer 'noise'", "does nothing at inference", severity="warning"),
    )
    artifacts = (
        Artifact("saved_model", DIRECTORY / "saved_model", 3.2, inspection("saved_model")),
        Artifact("tflite", None, 1.0, error=refused),
        Artifact(
            "onnx",
            DIRECTORY / "model.onnx",
            2.5,
            inspection("onnx"),
            parity(0.5, float("inf"), 1366.7, top1=0.975, note="NaN where the reference has none"),
            different,
        ),
    )
    return Report("digits <script>", DIRECTORY, artifacts, problems, versions=VERSIONS)
