from __future__ import annotations

import jsonschema
import pytest

from exporter import errors
from exporter.report.document import schema

EXPORT = ("export", "m.keras", "-o", "out")


def all_errors(cls=errors.ExporterError):
    return [cls, *(sub for child in cls.__subclasses__() for sub in all_errors(child))]


@pytest.mark.parametrize("cls", all_errors())
@pytest.mark.parametrize("as_json", [False, True])
def test_every_error_of_ours_has_its_code_and_form(kx, work, cls, as_json):
    work("export", cls("it failed", where="layer 'x'", reason="3 > 2", remedy="use 2"))
    answer = kx(*EXPORT, *(["--json"] if as_json else []))
    assert answer.code == cls.exit_code
    assert "Traceback" not in answer.err
    assert "noise" not in answer.err
    if as_json:
        jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/failure"})
        assert answer.json["error"] == {
            "type": cls.__name__,
            "exit_code": cls.exit_code,
            "what": "it failed",
            "where": "layer 'x'",
            "reason": "3 > 2",
            "remedy": "use 2",
        }
    else:
        assert answer.out == ""
        assert answer.err.splitlines()[1:] == [
            "✗ it failed",
            "  where layer 'x'",
            "    why 3 > 2",
            "    fix use 2",
        ]


def test_an_unexpected_failure_is_short_and_shows_what_libraries_wrote(kx, work):
    work("export", ZeroDivisionError("division by zero"))
    answer = kx(*EXPORT)
    assert answer.code == 1
    assert answer.out == ""
    assert "noise of a library" in answer.err
    assert "ZeroDivisionError: division by zero" in answer.err
    assert "run again with -v" in answer.err
    assert "Traceback" not in answer.err


def test_the_traceback_comes_with_verbose(kx, work):
    work("export", ZeroDivisionError("division by zero"))
    assert "Traceback" in kx(*EXPORT, "-v").err
    work("export", errors.LoadError("it failed"))
    assert "Traceback" in kx(*EXPORT, "-v").err


def test_an_unexpected_failure_as_json(kx, work):
    work("export", ZeroDivisionError("division by zero"))
    answer = kx(*EXPORT, "--json")
    jsonschema.validate(answer.json, {**schema(), "$ref": "#/$defs/failure"})
    assert answer.json["error"]["type"] == "ZeroDivisionError"
    assert answer.json["error"]["exit_code"] == answer.code == 1


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupt_is_one_line(kx, work, as_json):
    work("export", KeyboardInterrupt())
    answer = kx(*EXPORT, *(["--json"] if as_json else []))
    assert answer.code == 130
    if as_json:
        assert answer.json["error"]["exit_code"] == 130
    else:
        assert answer.err.split("\n", 1)[1].strip() == "✗ interrupted; no file was changed"


def test_termination_is_passed_on(kx, work):
    work("export", SystemExit(143))
    answer = kx(*EXPORT)
    assert answer.code == 143
    assert answer.err.endswith("Working\n")


def test_no_command_and_a_wrong_one(kx):
    assert kx().code == 2
    answer = kx("exprot")
    assert answer.code == 2
    assert "exprot" in answer.err
    assert kx("exprot", "--json").json["error"]["type"] == "UsageError"
