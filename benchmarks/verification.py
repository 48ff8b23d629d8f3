"""How good the verification is: false alarms on right files, faults that it finds, beside fixed tolerances and other tools.

    python -m benchmarks.verification --json build/verification.jsonl
    python -m benchmarks.verification --only 'groupnorm|lstm' --formats tflite --faults 0

Models are built from seeds; each is written in three formats by this project and by Keras's own exporter. What is right is
decided without the rule that is measured (`verification_study/judge.py`), and so is whether a fault can be seen at all. Every
file's line is appended to the .jsonl file at once: the same command goes on where it was stopped. The generated and trained
nets take about an hour on one core, `keras.applications` as long again.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rich.console import Console

from benchmarks.verification_study import cases, faulty, right, tables
from benchmarks.verification_study.case import Case
from benchmarks.verification_study.record import Record
from exporter.run.quiet import quiet
from exporter.spec import FORMATS

CASES = 40  # of one process
MORE = 75  # exit code: not done yet
DEADLY = (signal.SIGABRT, signal.SIGSEGV, signal.SIGFPE, signal.SIGILL, signal.SIGBUS, signal.SIGKILL)
LITERT_SEEDS = 1  # Keras's own LiteRT export takes seconds: so many seeds of a family


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.part:
        chosen = cases.chosen(arguments.only, costly=arguments.costly, hub=arguments.hub, quick=arguments.quick)
        sys.exit(MORE if study(chosen, arguments, Record(arguments.json)) else 0)
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.json or Path(folder) / "verification.jsonl"
        if not arguments.tables:
            in_parts([*sys.argv[1:], "--part", "--json", str(path)], path)
        tables.printed(Record(path), Console())


def in_parts(options: Sequence[str], path: Path) -> None:
    """Run the study, a process after the other: TensorFlow keeps memory of every graph, and a runtime may die of a fault."""
    before = -1
    while True:
        done = subprocess.run([sys.executable, "-m", "benchmarks.verification", *options], check=False)
        size = path.stat().st_size if path.exists() else 0
        if done.returncode == 0:
            return
        if size == before or done.returncode not in (MORE, *(-number for number in DEADLY)):
            sys.exit(f"the study stopped: {done.returncode}")
        before = size


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--right", type=int, default=2000, help="stop after so many right files (default: 2000)")
    parser.add_argument("--faults", type=int, default=1000, help="inject until so many are visible (default: 1000)")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="families and seeds that this regular expression finds"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="a .jsonl file: lines are appended, an earlier run goes on"
    )
    parser.add_argument("--quick", action="store_true", help="a few families, a few minutes")
    parser.add_argument("--costly", action="store_true", help="also MobileNetV2 and ResNet50 at 224 pixels")
    parser.add_argument("--hub", action="store_true", help="also KerasHub's models (needs keras-hub)")
    parser.add_argument("--no-keras-files", action="store_true", help="leave out what Keras's own exporter writes")
    parser.add_argument("--part", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tables", action="store_true", help="measure nothing, print the tables of --json")
    return parser


def study(chosen: Sequence[Case], arguments: Any, record: Record) -> bool:
    """Measure the cases that the record does not have whole, as many as one process may; return whether there are more."""
    plan, start, done = faulty.Plan(record), time.monotonic(), 0
    count = faults_per_file(chosen, arguments)
    with quiet() as stream:
        for case, make in right.subjects(chosen):
            mark = f"done/{case.name}/{' '.join(arguments.formats)}{'' if arguments.no_keras_files else ', both'}"
            if record.has(mark):
                continue
            injecting = case.faults and count and visible(record) < arguments.faults
            if judged(record) >= arguments.right and not injecting:
                continue
            if done == CASES:
                return True
            done += 1
            try:
                _one(make(), arguments, record, plan, count if injecting else 0)
            except Exception as error:  # a gap of the study, which its tables tell; the hour goes on
                record.add(f"gap/{case.name}", part="gap", why=f"{type(error).__name__}: {error}"[:300])
            record.add(mark, part="done", case=case.name)
            minutes = (time.monotonic() - start) / 60
            print(f"{minutes:6.1f} min  {case.name}: {progress(record)}", file=stream, flush=True)
    return False


def _one(subject: right.Subject, arguments: Any, record: Record, plan: faulty.Plan, count: int) -> None:
    right.measure(subject, arguments.formats, ["ours"], record)
    if not arguments.no_keras_files:
        slow = subject.case.seed >= LITERT_SEEDS
        right.measure(subject, [f for f in arguments.formats if f != "tflite" or not slow], ["keras"], record)
    for form in arguments.formats if count else ():
        faulty.measure(subject, form, count, plan, record)


def faults_per_file(chosen: Sequence[Case], arguments: Any) -> int:
    """Return how many faults to inject into each file, so that one seed of every family gives about enough visible ones."""
    families = {case.family for case in chosen if case.faults}
    return -(-2 * arguments.faults // max(1, len(families) * len(arguments.formats)))


def judged(record: Record) -> int:
    return sum(line.get("judged") == "right" for line in record.of("right"))


def visible(record: Record) -> int:
    return sum(line.get("state") == "visible" for line in record.of("fault"))


def progress(record: Record) -> str:
    """Say how far the study is."""
    alarms = sum(line.get("judged") == "right" and not line["ok"] for line in record.of("right"))
    found = sum(line.get("state") == "visible" and not line["ok"] for line in record.of("fault"))
    return f"{alarms} false alarms of {judged(record)} right files, {found} of {visible(record)} visible faults found"


if __name__ == "__main__":
    main()
