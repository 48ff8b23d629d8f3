from __future__ import annotations

import dataclasses
import io
import math

import pytest
from rich.console import Console

from exporter.report.terminal import print_error, print_report, table
from exporter.spec import OutputParity, Parity, Report


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Stand where there is no dist/: a report.html that lies there is pointed to."""
    monkeypatch.chdir(tmp_path)


def printed(show, subject, *, width=80, encoding="utf-8", **options):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream, width=width, highlight=False, **options)
    show(subject, console)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_a_table_of_80_columns(passed):
    text = printed(print_report, passed)
    assert [line.rstrip() for line in text.splitlines()] == [
        "",
        "digits  23,456 parameters",
        "image float32[?, 8, 8, 1]  →  digit float32[?, 10]",
        "format         size      error  of tolerance    top-1      time",
        "SavedModel   184 kB    5.0 ulp  ━━━━━━  20 %    100 %     3.2 s  ✓ verified",
        "TFLite      96.1 kB   10.6 ulp  ━━━━━━  42 %    100 %    12.0 s  ✓ verified",
        "ONNX        97.5 kB    6.3 ulp  ━━━━━━  25 %    100 %     2.5 s  ✓ verified",
        "",
        "   note the first note",
        "✓ All 3 formats are verified against Keras",
    ]


def test_wide_tables_show_the_interface_of_each_file(passed):
    rows = printed(print_report, passed, width=140).splitlines()
    assert sum("image float32[?, 8, 8, 1]  →  digit float32[?, 10]" in row for row in rows) == 3


@pytest.mark.parametrize("width", [80, 100, 119, 120, 200])
def test_nothing_is_cut_off(failed, width):
    long = dataclasses.replace(
        failed["onnx"],
        seconds=554.0,
        parity=Parity((OutputParity("y", "c", 4.1e3, 3e-6, 1.0, 0.0),), "float64", top1=0.9985),
    )
    text = printed(
        print_report,
        dataclasses.replace(failed, artifacts=(failed["saved_model"], failed["tflite"], long)),
        width=width,
    )
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for word in ("not compared", "unsupported", "9:14 min", "99.85 %", "over", "3e+10 ulp"):
        assert word in text


def test_everything_that_is_wrong_is_told_with_its_fix(failed):
    text = printed(print_report, failed)
    for word in (
        "layer 'code' (TFLite)",
        "a Lambda holds code",
        "replace it by keras.ops",
        "does nothing at inference",
        "layer 'spectrum' (<b>FFT</b>)",
        "FFT2D [complex64] has no builtin",
        "leave --to tflite out",
        "error 4.1e-03, allowed 3.0e-06",
        "mismatch",
        "97.5 %",
        "2 of 3 formats failed",
    ):
        assert word in text


def test_no_colour_without_a_terminal_and_some_on_one(failed):
    assert "\x1b" not in printed(print_report, failed)
    assert "\x1b[" in printed(print_report, failed, force_terminal=True, color_system="standard")


def test_a_terminal_that_knows_only_ascii(passed, failed):
    for report in (passed, failed):
        assert printed(print_report, report, encoding="ascii").isascii()


def test_several_models_share_one_header(passed, failed):
    text = printed(lambda reports, console: console.print(table(reports, console)), [passed, failed])
    assert text.count("of tolerance") == 1
    assert text.index("digits  23,456") < text.index("digits <script>")


def test_a_report_of_nothing_but_problems(failed):
    text = printed(print_report, Report("m", failed.directory, (), failed.problems))
    assert "The model cannot be exported" in text
    assert "of tolerance" not in text


def test_nan_in_a_comparison_is_drawn_as_a_failure(passed):
    parity = Parity((OutputParity("y", "c", math.nan, 1.0, 1.0, 0.0),), "float64")
    artifact = dataclasses.replace(passed["onnx"], parity=parity)
    assert "━━━━━━  over" in printed(print_report, dataclasses.replace(passed, artifacts=(artifact,)))


def test_errors_are_text_not_markup_and_wrap_under_themselves(failed):
    error = failed["tflite"].error
    error.reason = "[red]unknown[/] " + "word " * 40
    lines = printed(print_error, error).splitlines()
    assert lines[0] == "✗ the model has an op that TFLite lacks"
    assert lines[2].startswith("    why [red]unknown[/] word")
    assert lines[3].startswith("        word")


def test_long_paths_stay_in_one_piece_and_lines_of_code_stay_lines(failed):
    error = failed["tflite"].error
    error.where = "/a/very/long-path" * 10
    error.remedy = "replace the layer:\n  x = keras.ops.abs(x)\n\nand train again"
    lines = printed(print_error, error).splitlines()
    assert f"  where {error.where}" in lines
    at = lines.index("    fix replace the layer:")
    assert lines[at + 1 :] == ["          x = keras.ops.abs(x)", "        ", "        and train again"]
