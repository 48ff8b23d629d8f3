"""How long the files of an export take in their runtimes, measured in turn so that a busy machine disturbs all alike."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import numpy as np

from exporter import formats
from exporter.errors import UsageError
from exporter.formats import Format, Runner
from exporter.report import read_report
from exporter.run.progress import Progress, Silent
from exporter.run.quiet import quiet
from exporter.spec import TensorInfo
from exporter.verification.batches import batched, fixed_batch, in_step, rows_of
from exporter.verification.model_verification import ModelVerification

LEAST = 5  # runs of each file, however long one takes

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Latency:
    """What one file takes in its runtime.

    Args:
        format: of the file.
        runtime: that ran it.
        path: the file.
        size: bytes.
        batch: rows of each run.
        first: seconds of the first run, in which runtimes still allocate and compile.
        median: seconds of a later run.
        p90: nine in ten took no longer.
        runs: how many were timed.
    """

    format: str
    runtime: str
    path: Path
    size: int
    batch: int
    first: float
    median: float
    p90: float
    runs: int


def bench(
    directory: str | Path,
    *,
    batch: int = 1,
    threads: int = 1,
    seconds: float = 3.0,
    progress: Progress | None = None,
) -> tuple[Latency, ...]:
    """Time every file of an export on its golden samples, the fastest first.

    Args:
        directory: what `exporter.export` wrote.
        batch: rows of each run; a file of a fixed batch takes its own.
        threads: for one op.
        seconds: of measuring, for each file.
        progress: told what is being done; None: silence.

    Raises:
        UsageError: if the folder holds no export, or its samples have no rows.
        UnsafeFileError: if a file names others that it may not name.
        InvalidArtifactError: if a runtime refuses a file.
        MissingRuntimeError: if a runtime is not installed.
    """
    folder = Path(directory)
    report = read_report(folder)
    progress = progress or Silent()
    with quiet():
        rows = _rows(folder)
        with progress("Loading the files"):
            entries = [
                _Entry(formats.get(a.format), a.path, threads, batch, rows) for a in report if a.path is not None
            ]
        with progress("Running the files in turn"):
            _run_in_turn(entries, seconds)
    return tuple(sorted((entry.latency() for entry in entries), key=lambda latency: latency.median / latency.batch))


class _Entry:
    """A file with its inputs and the times that it took."""

    def __init__(self, form: Format, path: Path, threads: int, batch: int, rows: tuple[Arrays, tuple[TensorInfo, ...]]):
        self._form, self._path, self._size = form, path, formats.inspected(form, path).size
        self._runner: Runner = form.open(path, threads=threads)
        self._batch = fixed_batch(self._runner.inputs, rows[1]) or batch
        self._inputs = _taken(*rows, self._batch)
        self._first = self._timed()
        self._times: list[float] = []

    def run(self) -> None:
        self._times.append(self._timed())

    def latency(self) -> Latency:
        p90 = quantiles(self._times, n=10, method="inclusive")[-1]
        return Latency(
            self._form.name,
            self._form.runtime,
            self._path,
            self._size,
            self._batch,
            self._first,
            median(self._times),
            p90,
            len(self._times),
        )

    def _timed(self) -> float:
        start = time.perf_counter()
        self._runner.run(self._inputs)
        return time.perf_counter() - start


def _run_in_turn(entries: Sequence[_Entry], seconds: float) -> None:
    end, runs = time.monotonic() + seconds * len(entries), 0
    while runs < LEAST or time.monotonic() < end:
        for entry in entries:
            entry.run()
        runs += 1


def _rows(folder: Path) -> tuple[Arrays, tuple[TensorInfo, ...]]:
    """Return the golden sample with the most rows, the user's own before generated ones, and the model's inputs."""
    verification = ModelVerification.of_folder(folder / "samples")
    inputs = tuple(verification.reference.inputs)
    found = [s for s in (*verification.real, *verification.samples) if rows_of(s.arrays, inputs)]
    if not found:
        raise UsageError("no golden sample has rows", where=str(folder / "samples"), remedy="export again")
    best = (
        verification.real[0]
        if verification.real and verification.real[0] in found
        else max(found, key=lambda s: rows_of(s.arrays, inputs))
    )
    return best.arrays, inputs


def _taken(arrays: Arrays, inputs: Sequence[TensorInfo], batch: int) -> dict[str, np.ndarray]:
    """Return `batch` rows, repeated where there are fewer; all as they are where the inputs have no rows in common."""
    if not in_step(arrays, inputs):
        return dict(arrays)
    index, cut = np.arange(batch) % rows_of(arrays, inputs), batched(inputs)
    return {name: a[index] if name in cut else a for name, a in arrays.items()}


__all__ = ["Latency", "bench"]
