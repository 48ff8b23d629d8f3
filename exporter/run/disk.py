"""What a disk refuses, in words that say what to do about it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from exporter.errors import OutputError
from exporter.run.failures import reason_of

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def output_error(error: BaseException, output: Path) -> OutputError:
    """Return the error to raise when writing `output` failed with `error`."""
    if _is_full(error):
        return OutputError(
            "the disk is full",
            where=str(output),
            reason=f"no space left, or the quota is used up, while writing ({_free(output)} free now)",
            remedy="free some space, or choose an output folder on another disk",
        )
    return OutputError(
        "the output folder cannot be written",
        where=str(output),
        reason=reason_of(error),
        remedy="choose another folder, or give yourself permission to write there",
    )


def disk_full(error: BaseException, output: Path) -> OutputError | None:
    """Return the error to raise if `error`, or what it stems from, is a full disk; else None.

    TensorFlow and others report a full disk with exceptions of their own, known by the system's message.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OutputError):
            return seen
        if _is_full(seen):
            return output_error(seen, output)
        seen = seen.__cause__ or seen.__context__
    return None


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    return any(os.strerror(code) in str(error) for code in _FULL)


def _free(output: Path) -> str:
    with contextlib.suppress(OSError):
        return f"{shutil.disk_usage(nearest(output)).free / 1e6:.1f} MB"
    return "an unknown amount"


def nearest(path: Path) -> Path:
    """Return the path itself if it exists, else the nearest folder above it that does."""
    return next(p for p in (path, *path.parents) if p.exists())


__all__ = ["disk_full", "nearest", "output_error"]
