"""Every file of an export is timed in its runtime, on rows that it takes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from rich.console import Console

import exporter
from exporter.errors import UsageError
from exporter.pipeline.latency import LEAST, Latency, bench
from exporter.report.latencies import milliseconds, print_latencies

SOON = 0.01  # seconds of measuring


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,), name="x"), layers.Dense(4), layers.Dense(2)], name="small")
    folder = tmp_path_factory.mktemp("dist") / "small"
    exporter.export(model, folder).raise_for_status()
    return folder


def test_every_file_is_timed_the_fastest_first(dist):
    latencies = bench(dist, seconds=SOON)
    assert {entry.format for entry in latencies} == {"saved_model", "tflite", "onnx"}
    assert [e.median for e in latencies] == sorted(e.median for e in latencies)
    assert all(e.runs >= LEAST and 0 < e.median <= e.p90 and e.batch == 1 for e in latencies)


def test_a_dynamic_batch_is_filled_and_a_fixed_one_kept(dist):
    batches = {entry.format: entry.batch for entry in bench(dist, batch=100, seconds=SOON)}
    assert batches == {"saved_model": 100, "tflite": 1, "onnx": 100}


def test_the_folder_is_not_changed(dist):
    before = {f: f.stat().st_mtime_ns for f in dist.rglob("*")}
    bench(dist, seconds=SOON)
    assert {f: f.stat().st_mtime_ns for f in dist.rglob("*")} == before


def test_a_folder_without_an_export(tmp_path):
    with pytest.raises(UsageError):
        bench(tmp_path)


def latency(format_name, seconds, batch=1):
    return Latency(format_name, "a runtime", Path("model"), 12345, batch, 1.0, seconds, seconds, 9)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_table_fits_and_its_bars_show_the_time_for_a_row(width):
    console = Console(record=True, width=width, file=io.StringIO())
    print_latencies([latency("onnx", 0.001), latency("tflite", 0.004, batch=2), latency("saved_model", 0.004)], console)
    lines = console.export_text().splitlines()
    rows = [line for line in lines if "a runtime" in line]
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)
    bars = [row.count("█") for row in rows]
    np.testing.assert_allclose(np.divide(bars, max(bars)), [0.25, 0.5, 1], atol=0.13)  # half a column of four


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (1.234e-5, "0.0123 ms"), (4.561e-3, "4.56 ms"), (0.789, "789 ms"), (2, "2,000 ms")],
)
def test_short_times_have_three_digits(seconds, text):
    assert milliseconds(seconds) == text


def test_the_command_prints_json_and_draws(dist, tmp_path, capfd):
    from exporter.cli import run

    assert run(["bench", str(dist), "--seconds", "0.01", "--json", "--plot", str(tmp_path / "plot.svg")]) == 0
    document = json.loads(capfd.readouterr().out)
    assert {entry["format"] for entry in document["latencies"]} == {"saved_model", "tflite", "onnx"}
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")


def test_a_plot_that_cannot_be_written(dist, tmp_path, capfd):
    from exporter.cli import run

    assert run(["bench", str(dist), "--seconds", "0.01", "--plot", str(tmp_path / "no" / "plot.svg")]) == 1
    assert "plot.svg" in capfd.readouterr().err
