"""A report, told in the way that was asked for."""

from __future__ import annotations

from exporter.cli._mode import Mode
from exporter.errors import ParityError
from exporter.spec import Report


def print_report(report: Report, mode: Mode) -> int:
    """Print a report (on standard error when something failed); return the exit code."""
    if mode.json:
        mode.print_json(report.to_dict())
    elif not (mode.quiet and report.ok):
        from exporter.report.terminal import print_report

        print_report(report, mode.console(stderr=not report.ok))
    return exit_code(report)


def exit_code(report: Report) -> int:
    """Return 0 when all is well, else the code of the error that stopped it; a difference to Keras is one."""
    if report.ok:
        return 0
    return report.failure.exit_code if report.failure is not None else ParityError.exit_code
