from __future__ import annotations

import jsonschema

from exporter.errors import LoadError
from exporter.report.document import schema


def test_problems_are_the_result(kx, work, failed):
    check = work("check", list(failed.problems))
    answer = kx("check", "m.keras", "--to", "onnx")
    assert answer.code == 4
    assert "replace it by keras.ops" in answer.out
    assert "1 of 2 findings stop an export" in answer.out
    assert check.calls[0][1]["formats"] == ("onnx",)


def test_warnings_do_not_fail(kx, work, failed):
    work("check", [p for p in failed.problems if p.severity == "warning"])
    answer = kx("check", "m.keras")
    assert answer.code == 0
    assert "Nothing stops an export" in answer.out


def test_json(kx, work, failed):
    for problems in ([], list(failed.problems)):
        work("check", problems)
        answer = kx("check", "m.keras", "--json")
        jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/check"})
        assert answer.json["ok"] == (answer.code == 0) == (not problems)


def test_a_model_that_does_not_load(kx, work):
    work("check", LoadError("no such file", where="m.keras", remedy="check the path"))
    answer = kx("check", "m.keras")
    assert answer.code == 3
    assert answer.out == ""
    assert "fix check the path" in answer.err
