"""`python -m models`: train what is not up to date, export every model in every format, compare on the real test sets.

One process does it all: the libraries take longer to import than a small model takes to export.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import exporter
from exporter.errors import INTERRUPTED, ExporterError
from exporter.run.environment import choose_tensorflow
from exporter.run.progress import Progress, progress_on
from exporter.run.quiet import quiet
from exporter.spec import Report
from models import _catalog
from models._trained import out_of_date, trained

if TYPE_CHECKING:
    from rich.console import Console

Outcome = Report | ExporterError  # an error: there was nothing to report on, as the training or the loading failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Export models and print one table; return the exit code of the first that failed, else 0."""
    options = _parser().parse_args(arguments)
    from rich.console import Console

    console, start = Console(highlight=False), time.monotonic()
    try:
        with quiet(not options.verbose) as stream:
            outcomes = _export_all(options, progress_on(stream))
    except KeyboardInterrupt:
        console.print("Interrupted. What was finished before is in place.")
        return INTERRUPTED
    _print(outcomes, console)
    failed = [_exit_code(outcome) for outcome in outcomes.values() if not _ok(outcome)]
    verdict = f"[bold red]{len(failed)} failed[/]" if failed else "[green]all verified against Keras[/]"
    console.print(f"Models: {len(outcomes)}, {verdict}, in {time.monotonic() - start:.0f} s. Files: {options.output}/")
    return failed[0] if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models", description="Train models, export them in every format, and compare them with Keras."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(_catalog.names())}; default: all")
    parser.add_argument("-o", "--output", type=Path, default=Path("dist"), metavar="DIR", help="default: dist")
    parser.add_argument("-f", "--force", action="store_true", help="train again what is up to date")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what the libraries write")
    return parser


def _export_all(options: argparse.Namespace, progress: Progress) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    with progress("Starting TensorFlow"):
        import tensorflow  # noqa: F401 (it takes seconds: here is where that shows)
    for name in options.names or _catalog.names():
        try:
            outcomes[name] = _export(name, options.output / name, progress, retrain=options.force)
        except ExporterError as error:
            outcomes[name] = error
    return outcomes


def _export(name: str, output: Path, progress: Progress, *, retrain: bool) -> Report:
    definition = _catalog.find(name)
    reason = "asked for" if retrain else out_of_date(name)
    if reason:
        with progress(f"Training {name} ({reason})"):
            trained(name, force=True)
    inputs, _ = definition.test_data()
    with progress(f"Exporting {name}"):
        return exporter.export(trained(name), output, samples=inputs, progress=progress)


def _print(outcomes: Mapping[str, Outcome], console: Console) -> None:
    """Print one table of everything, then what failed and why."""
    from rich.text import Text

    from exporter.report import figures, terminal

    console.print()
    console.print(terminal.table([o for o in outcomes.values() if isinstance(o, Report)], console))
    console.print()
    for name, outcome in outcomes.items():
        if isinstance(outcome, ExporterError):
            failures = [("", outcome)]
        else:
            terminal.print_problems(outcome.problems, console)
            failures = figures.failures(outcome)
        for formats, error in failures:
            console.print(Text(f"{name} {formats}", style="bold"))
            terminal.print_error(error, console)
            console.print()


def _ok(outcome: Outcome) -> bool:
    return isinstance(outcome, Report) and outcome.ok


def _exit_code(outcome: Outcome) -> int:
    """Return the exit code of an outcome that failed."""
    error = outcome.failure if isinstance(outcome, Report) else outcome
    return error.exit_code if error is not None else 1


if __name__ == "__main__":
    choose_tensorflow()
    sys.exit(main())
