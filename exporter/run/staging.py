"""Write a folder as a whole or not at all.

The work goes into a hidden folder beside the final one; `commit` swaps the two with renames. Whatever goes wrong before
that (an exception, Ctrl-C, SIGTERM, a full disk) leaves the old folder as it was. A run that was killed outright
leaves its hidden folder behind; the next run into the same output finds it and clears it.

    .digits.kx-new-3f9a01bc   being written, locked by the process that writes it
    .digits.kx-old-3f9a01bc   what `digits` was, for the instant between the two renames
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from exporter.errors import UsageError
from exporter.report.document import is_report
from exporter.run.disk import disk_full, nearest, output_error
from exporter.run.interruption import Interruption, interruptible

SWAP_CHECKS, SWAP_PAUSE = 5, 0.02  # how often, and after how many seconds, an unsuitable folder is looked at again

OWN_NAMES = (
    "saved_model",
    "model.tflite",
    *("model.onnx", "model.onnx.data"),
    *("model.ort", "model.required_operators.config"),
    *("model_data.cc", "model_data.h"),
    *("report.json", "report.html", "samples"),
)
"""What an export writes into its folder. Anything else there is the user's, and is carried over."""


class Stage:
    """A folder in the making.

    Args:
        output: the final folder, absolute, links resolved.
        token: what tells this run's hidden folders from another's.
        interruption: whether the user has asked to stop.
    """

    def __init__(self, output: Path, token: str, interruption: Interruption) -> None:
        self.output = output
        self.interruption = interruption
        self.path = output.with_name(f".{output.name}.kx-new-{token}")
        self.committed = False
        self._old = output.with_name(f".{output.name}.kx-old-{token}")

    def commit(self) -> None:
        """Put the folder in the place of `output`; the user's own files in the old folder move along.

        From here on it is too late to interrupt.

        Raises:
            OutputError: if the file system refuses; then the old folder is where it was.
            KeyboardInterrupt: if the user has pressed Ctrl-C and the libraries have swallowed it.
        """
        self.interruption.check()
        self.interruption.armed = False
        try:
            self._swap()
        except OSError as error:
            raise output_error(error, self.output) from error
        self.committed = True
        _retire(self._old, self.output)

    def _swap(self) -> None:
        if not self.output.exists():
            self.path.rename(self.output)
            return
        shutil.copymode(self.output, self.path)
        try:
            self.output.rename(self._old)
            self.path.rename(self.output)
        except OSError:
            if not self.output.exists():
                self._old.rename(self.output)
            raise


@contextlib.contextmanager
def staged(output: Path) -> Iterator[Stage]:
    """Give a `Stage` whose `path` is empty and writable; discard it on the way out unless it was committed.

    Everything that can be known to prevent the output is found here, before the work starts.

    Raises:
        UsageError: if `output` is a file, a mount point, the current folder, or holds files but no report of ours.
        OutputError: if the folder cannot be written, on entry or (a full disk) at any time in the body.
    """
    output = Path(os.path.realpath(output))
    _refuse_unsuitable(output)
    with _parents_of(output), interruptible() as interruption:
        try:
            _clear_leftovers(output)
            stage = Stage(output, secrets.token_hex(4), interruption)
            lock = _make_locked(stage.path)
        except OSError as error:
            raise output_error(error, output) from error
        with _discarded_unless_committed(stage, lock):
            yield stage


def _refuse_unsuitable(output: Path) -> None:
    reason = _unsuitable(output)
    for _ in range(SWAP_CHECKS):
        if not reason:
            break
        time.sleep(SWAP_PAUSE)  # another run may be between its two renames: then the folder is whole in an instant
        reason = _unsuitable(output)
    if reason:
        raise UsageError(
            "the output folder cannot be used", where=str(output), reason=reason, remedy="choose another folder with -o"
        )
    effective = os.access in os.supports_effective_ids
    if output.exists() and not os.access(output, os.W_OK | os.X_OK, effective_ids=effective):
        raise output_error(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), output)


def _unsuitable(output: Path) -> str:
    try:
        if not (place := nearest(output)).is_dir():
            return f"{place.name} is a file" if place != output else "it is a file"
        if not output.exists():
            return ""
        if output == Path.cwd() or os.path.ismount(output):
            return "it is the current folder or a mount point, which cannot be replaced as a whole"
        if any(output.iterdir()) and not is_report(output / "report.json"):
            return "it holds files, but no report.json that says an export made them; nothing was deleted"
    except OSError as error:
        raise output_error(error, output) from error
    return ""


def _retire(old: Path, new: Path) -> None:
    """Remove a folder that was replaced, after moving the user's own files over; keep it if they cannot be moved."""
    with contextlib.suppress(OSError):
        for entry in list(old.iterdir()):
            if entry.name not in OWN_NAMES and not (new / entry.name).exists():
                entry.rename(new / entry.name)
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _discarded_unless_committed(stage: Stage, lock: int | None) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if (full := disk_full(error, stage.output)) is not None and full is not error:
            raise full from error
        raise
    finally:
        if not stage.committed:
            shutil.rmtree(stage.path, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextlib.contextmanager
def _parents_of(output: Path) -> Iterator[None]:
    """Make the folders above `output`; when it did not come to be, remove those that are empty again."""
    missing = [p for p in output.parents if not p.exists()]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, output) from error
    try:
        yield
    finally:
        for parent in missing:
            with contextlib.suppress(OSError):
                parent.rmdir()


def _clear_leftovers(output: Path) -> None:
    """Remove what killed runs left beside `output`; put back what they had moved aside."""
    prefix = f".{output.name}.kx-"
    for entry in list(output.parent.iterdir()):
        if not entry.name.startswith(prefix):
            continue
        token = entry.name.rpartition("-")[2]
        if _in_use(output.with_name(f"{prefix}new-{token}")):
            continue
        if entry.name == f"{prefix}new-{token}":
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name == f"{prefix}old-{token}":
            entry.rename(output) if not output.exists() else _retire(entry, output)


def _make_locked(folder: Path) -> int | None:
    """Make a folder that is locked from the first moment at which another run may find it."""
    unseen = folder.with_name(folder.name.replace(".kx-new-", ".kx-"))
    unseen.mkdir()
    lock = _lock(unseen)
    unseen.rename(folder)
    return lock


def _in_use(folder: Path) -> bool:
    """Whether a living process holds the lock on `folder`; the system releases it when the process dies."""
    if not folder.exists():
        return False
    lock = _lock(folder)
    if lock is None:
        return True
    os.close(lock)
    return False


def _lock(folder: Path) -> int | None:
    """Lock a folder for this process; return the descriptor, or None where it is taken or cannot be locked."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # gone: another run has just put it in its place, or cleared it
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


__all__ = ["OWN_NAMES", "Stage", "staged"]
