"""Mutated export folders: whatever is changed in a file, reading it gives an answer or one of our own errors, and soon.

By default a few dozen files of each kind; `-m long` reads thousands.
"""

from __future__ import annotations

import json
import random
import shutil
import time

import keras
import pytest

import exporter
from exporter import formats
from exporter.errors import ExporterError
from exporter.loading.onnx_file import audit_onnx_file
from exporter.report import read_report
from exporter.verification.saving import load_samples
from tests.loading import forge
from tests.loading.test_fuzz import mutated, rearranged

SECONDS = 60  # for one file, on a busy machine
LONG = pytest.param(3000, marks=pytest.mark.long)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts") / "out"
    exporter.export(forge.dense_model(), folder, formats=("onnx", "tflite"))
    keras.utils.clear_session()
    return folder


def attempt(read, *given):
    """Call a reader: anything but an answer or an error of ours fails the test."""
    start = time.monotonic()
    try:
        read(*given)
        answer = "read"
    except ExporterError as error:
        str(error).encode(errors="strict")
        answer = "refused"
    assert time.monotonic() - start < SECONDS
    return answer


@pytest.mark.parametrize("count", [60, LONG])
@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
def test_bytes_of_an_artifact(exported, tmp_path, name, count):
    (original,) = exported.rglob(name.replace("model", "*"))
    raw, answers = original.read_bytes(), []
    path = tmp_path / name
    for seed in range(count):
        path.write_bytes(mutated(raw, random.Random(seed)))
        answers.append(attempt(formats.of_path(path).inspect, path))
        if name.endswith("onnx"):
            attempt(audit_onnx_file, path)
    assert "refused" in answers


@pytest.mark.parametrize("count", [60, LONG])
def test_values_of_a_report(exported, tmp_path, count):
    document, answers = json.loads((exported / "report.json").read_text()), []
    for seed in range(count):
        (tmp_path / "report.json").write_text(json.dumps(rearranged(document, random.Random(seed))))
        answers.append(attempt(read_report, tmp_path))
    assert {"read", "refused"} == set(answers)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "9" * 5000,
        '{"generator": "keras-exporter", "schema_version": ' + "9" * 5000 + "}",
        '"\\ud800"',
        "",
    ],
)
def test_odd_reports(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    assert attempt(read_report, tmp_path) == "refused"


@pytest.mark.parametrize("count", [60, LONG])
def test_values_of_golden_samples(exported, tmp_path, count):
    folder, answers = tmp_path / "samples", []
    shutil.copytree(exported / "samples", folder)
    document = json.loads((folder / "index.json").read_text())
    for seed in range(count):
        (folder / "index.json").write_text(json.dumps(rearranged(document, random.Random(seed))))
        answers.append(attempt(load_samples, folder))
    assert {"read", "refused"} == set(answers)


@pytest.mark.parametrize("count", [60, LONG])
def test_bytes_of_golden_samples(exported, tmp_path, count):
    folder = tmp_path / "samples"
    shutil.copytree(exported / "samples", folder)
    files = sorted(folder.glob("*.npz"))
    contents = [file.read_bytes() for file in files]
    for seed in range(count):
        number = seed % len(files)
        files[number].write_bytes(mutated(contents[number], random.Random(seed)))
        attempt(load_samples, folder)
        files[number].write_bytes(contents[number])


@pytest.mark.parametrize("name", ["../inputs_0.npz", "/etc/passwd", "a/../../b", "\\\\host\\share"])
def test_samples_that_lead_out_of_their_folder(exported, tmp_path, name):
    folder = tmp_path / "samples"
    shutil.copytree(exported / "samples", folder)
    shutil.copy(folder / "inputs_0.npz", tmp_path / "inputs_0.npz")
    document = json.loads((folder / "index.json").read_text())
    document["samples"][0]["inputs"] = name
    (folder / "index.json").write_text(json.dumps(document))
    assert attempt(load_samples, folder) == "refused"
