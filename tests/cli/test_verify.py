from __future__ import annotations

from pathlib import Path

import jsonschema

from exporter.report.document import schema


def test_a_verified_folder(kx, work, passed):
    verify = work("verify", passed)
    answer = kx("verify", "dist/digits", "--model", "m.keras", "--trust")
    assert answer.code == 0
    assert "verified" in answer.out
    [(positional, options)] = verify.calls
    del options["progress"]
    assert positional == (Path("dist/digits"),)
    assert options == {"model": Path("m.keras"), "custom_objects": {}, "trust": True}


def test_a_folder_that_differs(kx, work, failed):
    work("verify", failed)
    answer = kx("verify", "dist/digits", "--json")
    assert answer.code == 4
    jsonschema.validate(answer.json, schema())


def test_a_folder_that_no_export_has_written(kx, tmp_path):
    answer = kx("verify", tmp_path)
    assert answer.code == 2
    assert "no readable report.json" in answer.err
