from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import exporter
from exporter.errors import ExporterError, LoadError, ParityError
from exporter.report import read_report
from exporter.spec import Artifact, OutputParity, Parity, Report
from models import __main__ as program
from models import _catalog
from models._goal import GoalMissedError


def report(name: str, error: ExporterError | None = None) -> Report:
    parity = None if error else Parity((OutputParity("y", "normal", 1e-7, 1e-6, 1.0, 1e-7),), "float64", top1=1.0)
    path = None if error else Path("dist") / name / "model.onnx"
    return Report(name, Path("dist") / name, (Artifact("onnx", path, 1.0, None, parity, error),))


class Exports:
    """Stands in for `exporter.export` and the training: each model comes out as the test says."""

    def __init__(self):
        self.outcomes: dict[str, Report | BaseException] = {}
        self.exported: dict[str, tuple[Path, object]] = {}
        self.trained: list[str] = []
        self.stale = ""

    def export(self, path, output, *, samples, progress):
        name = Path(path).stem
        self.exported[name] = Path(output), samples
        outcome = self.outcomes.get(name, report(name))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def train(self, name, *, force=False):
        if force:
            self.trained.append(name)
        return Path(f"{name}.keras")


@pytest.fixture
def exports(monkeypatch) -> Exports:
    stand_in = Exports()
    monkeypatch.setattr(exporter, "export", stand_in.export, raising=False)
    monkeypatch.setattr(program, "trained", stand_in.train)
    monkeypatch.setattr(program, "out_of_date", lambda _name: stand_in.stale)
    monkeypatch.setenv("COLUMNS", "200")
    return stand_in


def test_exports_every_model_into_a_folder_of_its_name_and_prints_one_table(exports, capsys):
    assert program.main([]) == 0
    assert {name: output for name, (output, _) in exports.exported.items()} == {
        name: Path("dist") / name for name in _catalog.names()
    }
    output = capsys.readouterr().out
    assert output.count("of tolerance") == 1
    assert all(name in output for name in _catalog.names())
    assert "Models: 4, all verified against Keras" in output


def test_compares_on_the_whole_real_test_set(exports):
    program.main([])
    for name, (_, samples) in exports.exported.items():
        inputs, _ = _catalog.find(name).test_data()
        for key in inputs if isinstance(inputs, dict) else [...]:
            np.testing.assert_array_equal(samples[key], inputs[key])


def test_exports_only_the_named_models_to_the_output_asked_for(exports):
    assert program.main(["mobile", "digits", "--output", "elsewhere"]) == 0
    assert [output for output, _ in exports.exported.values()] == [Path("elsewhere/mobile"), Path("elsewhere/digits")]


def test_trains_what_is_not_up_to_date_and_says_why(exports, capsys):
    exports.stale = "changed: keras"
    program.main(["digits"])
    assert exports.trained == ["digits"]
    assert "Training digits (changed: keras)" in capsys.readouterr().err


def test_force_trains_what_is_up_to_date(exports):
    program.main(["digits"])
    assert exports.trained == []
    program.main(["digits", "--force"])
    assert exports.trained == ["digits"]


def test_goes_on_after_a_failure_and_ends_with_the_code_of_the_first(exports, capsys):
    exports.outcomes["digit_rows"] = report("digit_rows", ParityError("differs a lot"))
    exports.outcomes["digits"] = LoadError("the file is broken", where="digits.keras")
    assert program.main([]) == ParityError.exit_code
    assert "mobile" in exports.exported
    output = capsys.readouterr().out
    assert "differs a lot" in output
    assert "the file is broken" in output
    assert "2 failed" in output


def test_a_missed_goal_is_a_failure_without_a_stack_trace(exports, capsys, monkeypatch):
    def train(name, *, force=False):
        raise GoalMissedError("a model misses its goal", where=name)

    monkeypatch.setattr(program, "trained", train)
    assert program.main(["digits"]) == 1
    output = capsys.readouterr()
    assert "a model misses its goal" in output.out
    assert "Traceback" not in output.out + output.err


def test_an_unknown_name_is_a_usage_error(exports, capsys):
    assert program.main(["digitz"]) == 2
    assert "diabetes, digit_rows, digits, mobile" in capsys.readouterr().out


def test_an_interruption_ends_quietly(exports, capsys):
    exports.outcomes["digit_rows"] = KeyboardInterrupt()
    assert program.main([]) == 130
    assert "digits" not in exports.exported
    assert "Interrupted" in capsys.readouterr().out


def test_a_real_run_leaves_three_files_verified_on_the_whole_test_set(tmp_path):
    assert program.main(["digits", "-o", str(tmp_path)]) == 0
    report = read_report(tmp_path / "digits")
    _, digits = _catalog.find("digits").test_data()
    assert [artifact.format for artifact in report] == ["saved_model", "tflite", "onnx"]
    for artifact in report:
        assert artifact.path.exists()
        assert artifact.parity.top1 == 1.0
        assert artifact.parity.rows >= len(digits)
