"""Every exception that this package raises on purpose, with its exit code and the form of its message.

    ExporterError                 1
    ├── UsageError                2   an argument is wrong
    ├── LoadError                 3   the model file does not load
    │   └── UnsafeFileError       3   the model file asks for more than data may ask for
    ├── UnsupportedError          4   something in the model cannot be exported
    ├── InvalidArtifactError      5   a written file is invalid or does not load in its runtime
    ├── ParityError               6   a file computes something else than Keras
    ├── MissingRuntimeError       7   a package or runtime that was asked for is not installed
    └── OutputError               1   the output cannot be written (permission, disk full)

A message says what failed, where, what was received against what is allowed, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence


class ExporterError(Exception):
    """Base of all exceptions of this package.

    Args:
        what: what failed, one sentence without a full stop.
        where: the layer, tensor, file or argument at fault.
        reason: why; received against allowed.
        remedy: what the user can do now.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", reason: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.reason, self.remedy = what, where, reason, remedy

    def __str__(self) -> str:
        head = f"{self.what}: {self.where}" if self.where else self.what
        lines = [head]
        if self.reason:
            lines.append(f"  why: {self.reason}")
        if self.remedy:
            lines.append(f"  fix: {self.remedy}")
        return "\n".join(lines)


class UsageError(ExporterError):
    """An argument is wrong: an unknown format, a path that does not exist, a batch below zero."""

    exit_code = 2


class LoadError(ExporterError):
    """The model file does not load: missing, truncated, not a model, or it needs a class nobody named."""

    exit_code = 3


class UnsafeFileError(LoadError):
    """The model file asks for more than data may ask for: code, links, paths, unbounded sizes."""


class UnsupportedError(ExporterError):
    """Something in the model cannot be exported; `where` names the layer.

    Attributes:
        others: further reasons, found in the same pass; the message lists them all.
    """

    exit_code = 4
    others: tuple[UnsupportedError, ...] = ()

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *map(str, self.others)])

    @classmethod
    def joined(cls, errors: Sequence[UnsupportedError]) -> UnsupportedError:
        """Return one error that tells all of `errors`, each reason once."""
        distinct = list({str(error): error for error in errors}.values())
        first = distinct[0]
        first.others = tuple(distinct[1:])
        return first


class InvalidArtifactError(ExporterError):
    """A file was written, but its format's checker or its runtime refuses it."""

    exit_code = 5


class ParityError(ExporterError):
    """A file loads and runs, but computes something else than Keras."""

    exit_code = 6


class MissingRuntimeError(ExporterError):
    """A package or runtime that was asked for is not installed."""

    exit_code = 7


class OutputError(ExporterError):
    """The output cannot be written: no permission, or the disk is full."""


INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl-C
