from __future__ import annotations

import dataclasses
import math

import pytest

from exporter import errors
from exporter.report import figures
from exporter.spec import Artifact, OutputParity, Parity, TensorInfo

EPS = 2.0**-23


def compared(error, tolerance=1.0, scale=1.0):
    return OutputParity("y", "normal", error, tolerance, scale, 0.0)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (96_100, "96.1 kB"),
        (999_499, "999 kB"),
        (999_999, "1 MB"),
        (5_620_000, "5.62 MB"),
        (2_200_000_000, "2.2 GB"),
    ],
)
def test_sizes(count, text):
    assert figures.file_size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0951, "95 ms"),
        (0.1, "0.1 s"),
        (59.94, "59.9 s"),
        (59.96, "1:00 min"),
        (125, "2:05 min"),
        (3600, "60 min"),
    ],
)
def test_durations(seconds, text):
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(
    ("parity", "dtype", "text"),
    [
        (compared(0.0), "float32", "exact"),
        (compared(5 * EPS), "float32", "5.0 ulp"),
        (compared(5 * EPS * 100, scale=100), "float32", "5.0 ulp"),
        (compared(2 * 2.0**-10), "float16", "2.0 ulp"),
        (compared(250 * EPS), "float32", "250 ulp"),
        (compared(1.0), "float32", "8e+06 ulp"),
        (compared(3.0), "int64", "3"),
        (compared(1e-9, scale=0.0), "float32", "1e-09"),
        (compared(math.inf), "float32", "mismatch"),
        (compared(math.nan), "float32", "mismatch"),
    ],
)
def test_errors_in_units_of_the_scale(parity, dtype, text):
    assert figures.distance(parity, dtype) == text
    assert len(text) <= 9  # the width of the column


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0, "0 %"),
        (0.001, "< 1 %"),
        (0.25, "25 %"),
        (0.999, "100 %"),
        (1.0, "100 %"),
        (1.0001, "101 %"),
        (9.98, "998 %"),
        (9.995, "10x"),
        (1366.7, "1367x"),
        (1e7, "over"),
        (math.inf, "over"),
        (math.nan, "over"),
    ],
)
def test_shares_of_the_tolerance_never_flatter(ratio, text):
    assert figures.share(ratio) == text
    assert len(text) <= 5


@pytest.mark.parametrize(
    ("top1", "text"), [(None, "-"), (1.0, "100 %"), (0.99999, "99.99 %"), (0.975, "97.5 %"), (0.0, "0 %")]
)
def test_agreement_is_never_rounded_up(top1, text):
    assert figures.agreement(top1) == text


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (errors.UnsupportedError, "unsupported"),
        (errors.InvalidArtifactError, "invalid"),
        (errors.ParityError, "differs"),
        (errors.MissingRuntimeError, "no runtime"),
        (errors.OutputError, "failed"),
    ],
)
def test_verdict_of_an_error(tmp_path, error, word):
    assert figures.verdict(Artifact("onnx", tmp_path, error=error("x"))) == ("bad", word)


def test_verdict_of_a_comparison(tmp_path):
    good = Parity((compared(0.5),), "float64")
    bad = dataclasses.replace(good, outputs=(compared(2.0),))
    assert figures.verdict(Artifact("onnx", tmp_path, parity=good)) == ("good", "verified")
    assert figures.verdict(Artifact("onnx", tmp_path, parity=bad)) == ("bad", "differs")
    assert figures.verdict(Artifact("onnx", tmp_path)) == ("unsure", "not compared")
    assert figures.verdict(Artifact("onnx")) == ("bad", "not written")


def test_summary(passed, failed):
    assert figures.summary(passed) == ("good", "All 3 formats are verified against Keras")
    assert figures.summary(failed) == ("bad", "2 of 3 formats failed")
    one = dataclasses.replace(passed, artifacts=passed.artifacts[:1])
    assert figures.summary(one) == ("good", "The file is verified against Keras")
    unproven = dataclasses.replace(
        passed, artifacts=(*passed.artifacts[:2], dataclasses.replace(passed["onnx"], parity=None))
    )
    assert figures.summary(unproven) == ("unsure", "All 3 formats are written, 1 not compared with Keras")
    refused = dataclasses.replace(failed, artifacts=())
    assert figures.summary(refused) == ("bad", "The model cannot be exported")


def test_the_same_failure_of_several_formats_is_told_once(failed):
    error = failed["tflite"].error
    both = dataclasses.replace(failed, artifacts=(Artifact("tflite", error=error), Artifact("onnx", error=error)))
    assert figures.failures(both) == [("TFLite, ONNX", error)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ([], "none"),
        ({}, "none"),
        (0, "0"),
        (1234567, "1,234,567"),
        (True, "yes"),
        (False, "no"),
        (0.5, "0.5"),
        (math.inf, "Infinity"),
        ("1.14", "1.14"),
        ((1, "é"), '[1, "é"]'),
    ],
)
def test_facts(value, text):
    assert figures.fact(value) == text


def test_notes_name_the_formats_that_they_concern(passed, failed):
    assert figures.notes(passed) == ["the first note"]
    assert figures.notes(failed) == ["ONNX: the first note"]


def test_interface_names_every_tensor():
    tensors = (TensorInfo("a: b", (None, 3), "int32"), TensorInfo("c", (), "string"))
    assert figures.interface(tensors) == "a: b int32[?, 3], c string[]"
