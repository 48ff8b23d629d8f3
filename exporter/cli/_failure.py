"""What went wrong, told to people on standard error and to programs as JSON, with the exit code."""

from __future__ import annotations

import sys
import traceback

import click

from exporter.cli._mode import Mode
from exporter.errors import INTERRUPTED, ExporterError, UsageError


def explain(error: BaseException, mode: Mode) -> int:
    """Tell why the command failed; return its exit code."""
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _tell(ExporterError("interrupted; no file was changed"), mode, INTERRUPTED, "Interrupted")
    if isinstance(error, click.ClickException):
        return _tell_usage(error, mode)
    if isinstance(error, ExporterError):
        return _tell(error, mode, error.exit_code, type(error).__name__)
    return _tell_unexpected(error, mode)


def _tell(error: ExporterError, mode: Mode, code: int, kind: str) -> int:
    from exporter.report.document import error_to_dict

    if mode.verbose:
        traceback.print_exception(error, file=sys.stderr)
    if mode.json:
        mode.print_json({"error": {**error_to_dict(error), "type": kind, "exit_code": code}})
        return code
    from exporter.report.terminal import print_error

    print_error(error, mode.console(stderr=True))
    return code


def _tell_usage(error: click.ClickException, mode: Mode) -> int:
    if mode.json:
        return _tell(UsageError(error.format_message()), mode, error.exit_code, "UsageError")
    error.show()
    return error.exit_code


def _tell_unexpected(error: BaseException, mode: Mode) -> int:
    told = ExporterError(
        "unexpected failure",
        reason="".join(traceback.format_exception_only(error)).strip(),
        remedy="this is a defect of the exporter or of a library that it uses; the traceback is above"
        if mode.verbose
        else "run again with -v to see the traceback, and please report it",
    )
    told.__cause__ = error
    return _tell(told, mode, told.exit_code, type(error).__name__)


__all__ = ["explain"]
