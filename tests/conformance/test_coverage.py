"""What is recorded in docs/coverage holds: each case does in each format what it did, or better.

The record is made by `python -m benchmarks.coverage FORMAT --json FILE` and `python docs/tables.py FILE`.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from tests.conformance.cases import all_cases
from tests.conformance.examine import examine

RECORD = Path(__file__).parents[2] / "docs" / "coverage"
CASES = {case.name: case for case in all_cases()}
RECORDED = [
    pytest.param(
        file.stem, name, entry["status"], marks=pytest.mark.hub if name.startswith("hub.") else pytest.mark.long
    )
    for file in sorted(RECORD.glob("*.json"))
    for name, entry in json.loads(file.read_text()).items()
]
RANKS = ("crashed", "failed", "wrong", "unverified", "refused", "right")


@pytest.mark.parametrize(("form", "name", "status"), RECORDED)
def test_a_case_does_what_is_recorded(form, name, status, tmp_path):
    outcome = examine(CASES[name], form, tmp_path)
    assert RANKS.index(outcome.status) >= RANKS.index(status), outcome.detail


def test_every_case_is_recorded():
    for file in RECORD.glob("*.json"):
        recorded = json.loads(file.read_text())
        with_hub = any(name.startswith("hub.") for name in recorded)
        missing = {name for name in set(CASES) - set(recorded) if with_hub or not name.startswith("hub.")}
        gone = {name for name in set(recorded) - set(CASES) if not name.startswith("hub.")}
        assert not missing, f"{file.name} lacks cases: record them"
        assert not gone, f"{file.name} has cases that are no more: record them anew"


@pytest.mark.hub
def test_the_models_of_keras_hub_are_there():
    assert importlib.util.find_spec("keras_hub") is not None
    assert any(name.startswith("hub.") for name in CASES)
