"""Run a file on samples and compare it with Keras: the verdict over all outputs and cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from exporter.errors import ExporterError
from exporter.formats import Runner
from exporter.spec import OutputParity, Parity
from exporter.verification.batches import batched, fixed_batch, in_step, rows_of, run_in_chunks
from exporter.verification.compare import compare_expected
from exporter.verification.expectation import Expectation
from exporter.verification.metrics import top1_agreement
from exporter.verification.reference import STAGES, Expectations
from exporter.verification.samples import Sample

Outputs = Mapping[str, np.ndarray]


def verify_artifact(
    runner: Runner,
    reference: Expectations,
    samples: Sequence[Sample],
    real: Sample | Sequence[Sample] | None = None,
) -> Parity:
    """Compare a file with Keras.

    A file of a fixed batch is fed that many rows at a time. The first sample is run twice: equal bytes must come out.

    Args:
        runner: the file, opened in its runtime.
        reference: what the outputs should be.
        samples: generated inputs.
        real: the user's own data; outputs of shape [rows, classes] must also agree in the largest class of each row.

    Returns:
        The figures of every output and case. What could not be compared stands in `notes`; a file that fails to run
        on what Keras can run has not passed.
    """
    own = [] if real is None else [real] if isinstance(real, Sample) else list(real)
    session = _Session(runner, reference)
    for sample in [*samples, *own]:
        session.compare(sample)
    session.repeat([*samples, *own])
    notes = [*getattr(samples, "notes", ()), *reference.notes, *session.notes]
    return Parity(
        outputs=tuple(session.results),
        reference=reference.kind,
        top1=session.top1(own),
        rows=session.rows,
        notes=tuple(dict.fromkeys(notes)),
    )


def judge(
    outputs: Outputs, reference: Expectations, sample: Sample, arithmetic: Mapping[str, str]
) -> tuple[OutputParity, ...]:
    """Compare the outputs of a file on one sample; what is beyond its bounds again, after more draws of what rounding makes.

    Args:
        outputs: of the file, by name.
        reference: what they should be.
        sample: the inputs.
        arithmetic: of the file (`Runner.arithmetic`).
    """
    results = compare_expected(outputs, reference.expect(sample, arithmetic), sample.name)
    for _ in range(STAGES):
        if all(result.ok for result in results):
            break
        results = compare_expected(outputs, reference.reconsider(sample, arithmetic), sample.name)
    return results


@dataclass
class _Session:
    """Collects the results of one file."""

    runner: Runner
    reference: Expectations
    results: list[OutputParity] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    computed: dict[str, Outputs] = field(default_factory=dict)
    rows: int = 0

    def compare(self, sample: Sample) -> None:
        """Run the file on one sample and compare; what cannot be fed to it becomes a note."""
        obstacle = self._obstacle(sample)
        if obstacle:
            self.notes.append(f"{sample.name}: not compared, {obstacle}")
            return
        expected = self.reference.expect(sample, self.runner.arithmetic)
        try:
            outputs = self._run(sample)
        except ExporterError as error:
            self._failed(sample, expected, error)
            return
        self.computed[sample.name] = outputs
        self.rows += rows_of(sample.arrays, self.reference.inputs)
        self.results += self._compared(outputs, expected, sample)

    def _compared(self, outputs: Outputs, expected: Sequence[Expectation], sample: Sample) -> tuple[OutputParity, ...]:
        """Compare; what is beyond its bounds once more, when many draws tell how far rounding takes it.

        They cost much, and a file that differs on one sample differs.
        """
        results = compare_expected(outputs, expected, sample.name)
        if all(result.ok for result in results) or not all(result.ok for result in self.results):
            return results
        return judge(outputs, self.reference, sample, self.runner.arithmetic)

    def repeat(self, samples: Iterable[Sample]) -> None:
        """Run the first sample that worked once more; a file that remembers nothing gives the same bytes."""
        sample = next((s for s in samples if s.name in self.computed and _rows(s, self.reference)), None)
        if sample is None or self.reference.stateful:
            return
        first, second = self.computed[sample.name], self._run(sample)
        for name in first:
            if not _identical(first[name], second[name]):
                note = "another result at the second run on the same input"
                self.results.append(OutputParity(name, f"{sample.name}, again", np.inf, 0.0, 0.0, 0.0, note))

    def top1(self, samples: Sequence[Sample]) -> float | None:
        """Return the share of rows that agree in their largest output, over all outputs that are scores of classes."""
        pairs = [
            (self.computed[s.name][e.output], e)
            for s in samples
            if s.name in self.computed
            for e in self.reference.expect(s, self.runner.arithmetic)
            if e.output in self.computed[s.name]
        ]
        shares = [(agreement, len(value)) for value, e in pairs if (agreement := top1_agreement(value, e)) is not None]
        rows = sum(count for _, count in shares)
        return sum(share * count for share, count in shares) / rows if rows else None

    def _obstacle(self, sample: Sample) -> str:
        """Say why a sample cannot be fed to the file; empty if it can."""
        batch, rows = fixed_batch(self.runner.inputs, self.reference.inputs), _rows(sample, self.reference)
        if batch is not None and not in_step(sample.arrays, self.reference.inputs):
            return f"the file takes {batch} row(s) of each input"
        if batch is not None and rows != batch:
            if not rows:
                return f"the file takes {batch} row(s)"
            if any(not o.shape or o.shape[0] not in (None, batch) for o in self.reference.outputs):
                return f"the file takes {batch} row(s), and not every output has one entry per row"
        for info in self.runner.inputs:
            given = sample.arrays[info.name].shape if info.name in sample.arrays else info.shape
            if any(d not in (None, g) for d, g in zip(info.shape[1:], given[1:], strict=False)):
                return f"the file takes {info}"
        return ""

    def _run(self, sample: Sample) -> Outputs:
        batch, rows = fixed_batch(self.runner.inputs, self.reference.inputs), _rows(sample, self.reference)
        if batch is None or batch == rows:
            return self.runner.run(sample.arrays)
        return run_in_chunks(self.runner.run, sample.arrays, batch, batched(self.reference.inputs))

    def _failed(self, sample: Sample, expected: Sequence[Expectation], error: ExporterError) -> None:
        """Record that the runtime failed; an empty batch, which few runtimes can do, becomes a note."""
        reason = error.reason or error.what
        if _rows(sample, self.reference) == 0:
            self.notes.append(f"{sample.name}: not compared, the runtime fails on an empty batch: {reason}")
            return
        for e in expected:
            failed = OutputParity(e.output, sample.name, np.inf, e.tolerance, e.scale, e.keras_error, reason)
            self.results.append(failed)


def _rows(sample: Sample, reference: Expectations) -> int:
    return rows_of(sample.arrays, reference.inputs)


def _identical(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two results hold the same bytes; arrays of strings hold pointers, so their values are compared."""
    if first.dtype.kind == "O":
        return first.tolist() == second.tolist()
    return first.shape == second.shape and first.tobytes() == second.tobytes()
