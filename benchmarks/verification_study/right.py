"""The first half: right files of every format and maker, and what the rule says of them."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.verification_study.case import Case
from benchmarks.verification_study.comparators import Others
from benchmarks.verification_study.files import Written, opened, written
from benchmarks.verification_study.inputs import ROWS
from benchmarks.verification_study.judge import RIGHT, Judge, run_all
from benchmarks.verification_study.record import Line, Record
from exporter.capture.inference import Inference
from exporter.errors import ExporterError
from exporter.verification.model_verification import ModelVerification

FEW = 4  # rows of each kind for the models of keras.applications


class Subject:
    """A model with what is made of it once: the proof, the judge, the other comparators, files.

    Args:
        case: its case.
        folder: for the files.
    """

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.folder = case, folder
        self.inference = Inference(case.model())
        self._files: dict[tuple[str, str], Written] = {}
        self.seconds = 0.0

    @cached_property
    def proof(self) -> ModelVerification:
        """What the rule expects; `seconds` is what it took."""
        start = time.monotonic()
        data = self.case.samples() if self.case.samples else None
        made = ModelVerification.of_model(self.inference, "dynamic", data)
        self.seconds = time.monotonic() - start
        return made

    @cached_property
    def judge(self) -> Judge:
        return Judge(self.case, self.inference, ROWS if self.case.faults else FEW)

    @cached_property
    def others(self) -> Others:
        return Others(self.inference, self.proof.samples)

    def file(self, form: str, maker: str = "ours") -> Written:
        """Return a file, written once."""
        if (form, maker) not in self._files:
            self._files[form, maker] = written(self.inference, form, maker, self.folder)
        return self._files[form, maker]


def subjects(cases: Sequence[Case]) -> Iterator[tuple[Case, Any]]:
    """Yield each case with a function that makes its subject; nothing of one is left when the next begins."""
    import keras

    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            yield case, lambda c=case, f=folder: Subject(c, Path(f))
        keras.backend.clear_session()
        gc.collect()


def measure(subject: Subject, formats: Sequence[str], makers: Sequence[str], record: Record) -> None:
    """Write, judge and verify the files of one model; a line each."""
    for maker in makers:
        for form in formats:
            key = f"right/{subject.case.name}/{form}/{maker}"
            facts = {"part": "right", "case": subject.case.name, "family": subject.case.family, "format": form}
            record.once(key, {**facts, "maker": maker}, lambda f=form, m=maker: _measured(subject, f, m))


def _measured(subject: Subject, form: str, maker: str) -> Line:
    start = time.monotonic()
    file = subject.file(form, maker)
    if file.path is None:
        return {"judged": "refused", "why": file.refusal}
    conversion = time.monotonic() - start
    try:
        runner = opened(file, subject.inference)
        excess = subject.judge.excess(run_all(runner, subject.judge, subject.inference))
    except (ExporterError, ValueError, KeyError) as error:
        return {"judged": "broken", "why": f"{type(error).__name__}: {error}"[:300]}
    return {
        "judged": "right" if excess <= RIGHT else "doubtful",
        "excess": excess,
        "conversion": conversion,
        **verdict(subject, runner, foreign=maker != "ours"),
        "others": subject.others.passes(runner, form),
    }


def verdict(subject: Subject, runner: Any, *, foreign: bool = False) -> Line:
    """Return what the rule says."""
    proof, start = subject.proof, time.monotonic()
    try:
        parity = proof.check(runner, foreign=foreign)
    except ExporterError as error:
        return {"ok": False, "worst": f"{type(error).__name__}: {error}"[:300], "seconds": time.monotonic() - start}
    seconds = time.monotonic() - start
    if not parity.outputs:
        return {"ok": parity.ok, "worst": "; ".join(parity.notes)[:300], "seconds": seconds}
    worst = parity.worst
    said = f"{worst.output}, {worst.case}: {worst.error:.3g} of {worst.tolerance:.3g} at {worst.scale:.3g} {worst.note}"
    return {"ok": parity.ok, "worst": said[:300], "ratio": worst.ratio, "seconds": seconds, "proof": subject.seconds}
