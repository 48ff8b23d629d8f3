"""The second half: faults injected into right files, and who sees them."""

from __future__ import annotations

import importlib
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.verification_study import faults_model
from benchmarks.verification_study.faults import Fault, NotInjectedError
from benchmarks.verification_study.files import Written, opened
from benchmarks.verification_study.judge import RIGHT, SEEN, run_all
from benchmarks.verification_study.record import Line, Record
from benchmarks.verification_study.right import Subject, verdict
from exporter.errors import ExporterError

Outputs = dict[str, dict[str, np.ndarray]]


class Plan:
    """Chooses which faults to inject: the kinds that were tried least so far come first.

    Args:
        record: of what was done in an earlier run.
    """

    def __init__(self, record: Record) -> None:
        # What was done of a case that was stopped does not count: the same faults are chosen again.
        done = {line["case"] for line in record.of("done")}
        self._tried = Counter((line["format"], line["kind"]) for line in record.of("fault") if line["case"] in done)

    def chosen(self, candidates: Sequence[Fault], form: str, prefix: str, count: int) -> Iterator[tuple[str, Fault]]:
        """Yield up to `count` faults with the keys of their lines; kinds alternate, places are drawn."""
        rng = np.random.default_rng(zlib.crc32(prefix.encode()))
        left = [candidates[n] for n in rng.permutation(len(candidates))]
        for _ in range(count):
            if not left:
                return
            fault = min(left, key=lambda f: self._tried[form, f.kind])
            left.remove(fault)
            self._tried[form, fault.kind] += 1
            yield f"{prefix}/{fault.kind}/{fault.where}", fault


def measure(subject: Subject, form: str, count: int, plan: Plan, record: Record) -> None:
    """Inject `count` faults into one format's file of one model; a line each."""
    if (right := _right(subject, form)) is None:
        return
    file, outputs = right
    module = importlib.import_module(f"benchmarks.verification_study.faults_{form}")
    seed = zlib.crc32(subject.case.name.encode())
    assert file.path is not None
    candidates = [*module.faults(file.path, seed), *faults_model.faults(subject.inference.model, form)]
    for key, fault in plan.chosen(candidates, form, f"fault/{subject.case.name}/{form}", count):
        facts = {"part": "fault", "case": subject.case.name, "family": subject.case.family, "format": form}
        facts |= {"kind": fault.kind, "where": fault.where}
        record.once(key, facts, lambda f=fault: _measured(subject, file, outputs, f))


def _right(subject: Subject, form: str) -> tuple[Written, Outputs] | None:
    """Return a file and what it computes, if it is right by the judge's measure."""
    file = subject.file(form)
    if file.path is None:
        return None
    try:
        outputs = run_all(opened(file, subject.inference), subject.judge, subject.inference)
    except ExporterError:
        return None
    return (file, outputs) if subject.judge.excess(outputs) <= RIGHT else None


def _measured(subject: Subject, file: Written, right: Outputs, fault: Fault) -> Line:
    assert file.path is not None
    target = file.path.with_name(f"faulty_{file.path.name}")
    try:
        fault.inject(file.path, target)
        runner = opened(Written(file.format, "ours", target), subject.inference)
        visible = subject.judge.visible(right, run_all(runner, subject.judge, subject.inference))
    except (ExporterError, NotInjectedError, ValueError, KeyError, RuntimeError) as error:
        return {"state": "no file", "why": f"{type(error).__name__}: {error}"[:200]}
    else:
        if visible <= SEEN:
            return {"state": "invisible", "visible": visible}
        others = subject.others.passes(runner, file.format)
        return {"state": "visible", "visible": visible, **verdict(subject, runner), "others": others}
    finally:
        _remove(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
