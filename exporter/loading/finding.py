"""What an audit found: one reason why a file is refused, and the error that reports all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import LoadError, UnsafeFileError

SHOWN = 20  # findings spelled out in one message; a hostile file can hold thousands


@dataclass(frozen=True)
class Finding:
    """One reason why a file is refused.

    Args:
        what: what the file asks for, one sentence without a full stop.
        where: the place inside the file: an archive member, a path in config.json, an HDF5 path.
        remedy: what the user can do.
        cve: the published weakness that such a file uses, if there is one.
        unsafe: True when the file asks for more than data may; False when it merely cannot be read
            (damaged, or a class is missing).
    """

    what: str
    where: str = ""
    remedy: str = ""
    cve: str = ""
    unsafe: bool = True

    def __str__(self) -> str:
        what = printable(self.what) + (f" [{self.cve}]" if self.cve else "")
        return f"{printable(self.where[-200:])}: {what}" if self.where else what


def refuse(path: Path, findings: Sequence[Finding]) -> None:
    """Raise one error that tells every finding; do nothing when there is none.

    Raises:
        UnsafeFileError: if a finding is unsafe.
        LoadError: if the file only cannot be read.
    """
    if not findings:
        return
    unsafe = any(finding.unsafe for finding in findings)
    listed = [str(finding) for finding in findings[:SHOWN]]
    if len(findings) > SHOWN:
        listed.append(f"and {len(findings) - SHOWN} more")
    remedies = dict.fromkeys(printable(finding.remedy, 400) for finding in findings[:SHOWN] if finding.remedy)
    error = UnsafeFileError if unsafe else LoadError
    raise error(
        "the model file was refused, nothing of it was run" if unsafe else "the model file does not load",
        where=str(path),
        reason="\n       ".join(listed),
        remedy="\n       ".join(remedies),
    )


def printable(text: str, limit: int = 200) -> str:
    """`text` from a file we do not trust, fit for a terminal: no control characters, not endless."""
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[:limit])
    return shown + "…" if len(text) > limit else shown


def damaged(where: str, error: Exception) -> Finding:
    """The finding for a part of a file that cannot be read back as it was written."""
    return Finding(
        f"damaged or cut short: {str(error) or type(error).__name__}",
        where,
        "get the file again: it was changed on its way",
        unsafe=False,
    )
