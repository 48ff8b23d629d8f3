from __future__ import annotations

import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import errors
from exporter.report.document import from_dict, is_report, plain, read_report, schema, to_dict
from exporter.spec import (
    SCHEMA_VERSION,
    Artifact,
    Inspection,
    OutputParity,
    Parity,
    Problem,
    Report,
    TensorInfo,
)

VALIDATOR = jsonschema.Draft202012Validator(schema())

text = st.text(max_size=8)
number = st.floats(allow_nan=True, allow_infinity=True)
facts = st.dictionaries(text, st.one_of(st.none(), st.booleans(), st.integers(), number, text, st.lists(number)))
tensors = st.tuples(
    st.builds(TensorInfo, name=text, shape=st.lists(st.none() | st.integers(0, 9), max_size=3).map(tuple), dtype=text)
)
exceptions = st.builds(
    lambda cls, words: cls(words[0], where=words[1], reason=words[2], remedy=words[3]),
    st.sampled_from([errors.ParityError, errors.UnsupportedError, errors.InvalidArtifactError, errors.ExporterError]),
    st.tuples(text, text, text, text),
)
parities = st.builds(
    Parity,
    outputs=st.tuples(st.builds(OutputParity, text, text, number, number, number, number, text)),
    reference=text,
    top1=st.none() | st.floats(0, 1),
    rows=st.integers(0, 9),
    notes=st.tuples(text),
)
inspections = st.builds(
    Inspection, text, tensors, tensors, st.dictionaries(text, st.integers(1, 9)), st.integers(0), facts, facts
)
artifacts = st.builds(
    Artifact,
    format=text,
    path=st.none() | st.sampled_from([Path("dist/model.onnx"), Path("elsewhere/model.onnx")]),
    seconds=st.floats(0, 1e6),
    inspection=st.none() | inspections,
    parity=st.none() | parities,
    error=st.none() | exceptions,
)
problems = st.builds(Problem, text, text, text, st.tuples(text), st.sampled_from(["error", "warning"]))
reports = st.builds(
    Report,
    model=text,
    directory=st.just(Path("dist")),
    artifacts=st.lists(artifacts, max_size=2).map(tuple),
    problems=st.lists(problems, max_size=2).map(tuple),
    source=facts,
    versions=st.dictionaries(text, text),
    data=facts,
)


@given(reports)
def test_any_report_is_strict_json_valid_and_comes_back(report):
    document = to_dict(report)
    VALIDATOR.validate(document)
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again == document
    back = from_dict(again)
    assert to_dict(back) == document
    assert back.ok == report.ok == document["ok"]
    assert [str(a.error) for a in back] == [str(a.error) for a in report]
    assert [type(a.error) for a in back] == [type(a.error) for a in report]


def test_a_report_comes_back_equal(passed):
    back = from_dict(json.loads(passed.to_json()))
    assert back.artifacts == passed.artifacts
    assert (back.model, back.directory, back.problems) == (passed.model, passed.directory, passed.problems)


def test_the_schema_itself_is_valid_and_knows_every_field(passed, failed):
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$defs"]["report"]["properties"]["schema_version"] == {"const": SCHEMA_VERSION}
    for report in (passed, failed):
        VALIDATOR.validate(to_dict(report))


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("versions"),
        lambda d: d.update(surplus=1),
        lambda d: d.update(schema_version=SCHEMA_VERSION + 1),
        lambda d: d["artifacts"][0].update(seconds="soon"),
        lambda d: d["artifacts"][0]["parity"]["outputs"][0].update(error="inf"),
        lambda d: d["artifacts"][0]["inspection"]["inputs"][0].update(shape=["?"]),
    ],
)
def test_the_schema_refuses_what_is_not_a_report(passed, damage):
    document = to_dict(passed)
    damage(document)
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (np.float32("nan"), "NaN"),
        (np.float64("inf"), "Infinity"),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1.5, np.inf]), [1.5, "Infinity"]),
        (Path("a/b"), "a/b"),
        ((1, (2,)), [1, [2]]),
        ({1: TensorInfo("x", (None, 2), "int32")}, {"1": {"name": "x", "shape": [None, 2], "dtype": "int32"}}),
    ],
)
def test_values_become_plain(value, expected):
    assert plain(value) == expected


def test_paths_follow_the_folder(passed, tmp_path):
    document = to_dict(passed)
    assert [a["path"] for a in document["artifacts"]] == ["saved_model", "model.tflite", "model.onnx"]
    (tmp_path / "report.json").write_text(json.dumps(document))
    moved = read_report(tmp_path)
    assert moved.directory == tmp_path
    assert moved["onnx"].path == tmp_path / "model.onnx"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no readable report.json"),
        ("", "no readable report.json"),
        ("{", "no readable report.json"),
        (b"\xff\xfe", "no readable report.json"),
        ("[]", "not a report"),
        ('{"generator": "pytest", "schema_version": 1}', "not a report"),
        ('{"generator": "keras-exporter", "schema_version": 99}', "another version"),
        ('{"generator": "keras-exporter", "schema_version": 1}', "damaged"),
    ],
)
def test_what_is_not_a_report_is_refused(tmp_path, content, message):
    if isinstance(content, str):
        (tmp_path / "report.json").write_text(content)
    elif content is not None:
        (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(errors.UsageError, match=message):
        read_report(tmp_path)


def test_our_own_reports_are_recognised(passed, tmp_path):
    path = tmp_path / "report.json"
    assert not is_report(path)
    path.write_text(passed.to_json())
    assert is_report(path)
