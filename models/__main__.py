"""`python -m models`: train what is not up to date, export every model in every format, compare on the real test sets.

One process does it all, so that the libraries, which take longer to import than a small model takes to export, are
imported once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import exporter
from exporter.errors import INTERRUPTED, ExporterError
from exporter.progress import Progress, progress_on
from exporter.quiet import quiet
from models import _catalog
from models._trained import out_of_date, trained

if TYPE_CHECKING:
    from rich.console import Console

    from exporter.spec import Report


def main(arguments: Sequence[str] | None = None) -> int:
    """Export models and print one table; return the exit code of the first that failed, else 0."""
    options = _parser().parse_args(arguments)
    from rich.console import Console

    console, start = Console(), time.monotonic()
    reports: list[Report] = []
    errors: list[tuple[str, ExporterError]] = []
    try:
        with quiet(not options.verbose) as stream:
            progress = progress_on(stream)
            for name in options.names or _catalog.names():
                try:
                    reports.append(_export(name, options.output / name, progress, retrain=options.force))
                except ExporterError as error:
                    errors.append((name, error))
    except KeyboardInterrupt:
        console.print("Interrupted; what was under way left no trace.")
        return INTERRUPTED
    _print(reports, errors, time.monotonic() - start, options.output, console)
    return _exit_code(reports, errors)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which models: {', '.join(_catalog.names())}")
    parser.add_argument("-o", "--output", type=Path, default=Path("dist"), metavar="DIR", help="default: dist")
    parser.add_argument("-f", "--force", action="store_true", help="train again what is up to date")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what the libraries write")
    return parser


def _export(name: str, output: Path, progress: Progress, *, retrain: bool) -> Report:
    definition = _catalog.find(name)
    reason = "asked for" if retrain else out_of_date(name)
    if reason:
        with progress(f"Training {name} ({reason})"):
            trained(name, force=True)
    inputs, _ = definition.test_data()
    with progress(f"Exporting {name}"):
        return exporter.export(trained(name), output, samples=inputs, progress=progress)


def _print(
    reports: Sequence[Report],
    errors: Sequence[tuple[str, ExporterError]],
    seconds: float,
    output: Path,
    console: Console,
) -> None:
    """Print what failed, in full, and one table of everything."""
    from exporter.report import terminal

    for report in reports:
        if not report.ok:
            terminal.print_report(report, console)
    for name, error in errors:
        console.print(f"\n[bold]{name}[/]")
        terminal.print_error(error, console)
    console.print()
    console.print(terminal.table(reports, console))
    failed = sum(not report.ok for report in reports) + len(errors)
    if failed:
        console.print(f"[bold red]{failed} of {len(reports) + len(errors)} models failed[/], in {seconds:.0f} s.")
    else:
        console.print(f"[green]All verified against Keras[/] in {seconds:.0f} s. The files are in {output}/.")


def _exit_code(reports: Sequence[Report], errors: Sequence[tuple[str, ExporterError]]) -> int:
    codes = [error.exit_code for _, error in errors]
    codes += [report.failure.exit_code if report.failure else 1 for report in reports if not report.ok]
    return codes[0] if codes else 0


if __name__ == "__main__":
    sys.exit(main())
