"""Keep libraries off the terminal.

TensorFlow, its converter and XNNPACK write from native code straight to the descriptors 1 and 2, where no setting of
Python reaches them. `quiet` points these descriptors, `sys.stdout` and `sys.stderr` at a temporary file, and puts
everything back on the way out.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, TextIO

from exporter.errors import ExporterError

_LOCK = threading.RLock()  # descriptors belong to the whole process: one thread at a time may turn them
_OUTER: ContextVar[TextIO | None] = ContextVar("stream given by the enclosing `quiet`", default=None)


@contextlib.contextmanager
def quiet(enabled: bool = True) -> Iterator[TextIO]:
    """Capture what anybody writes to standard output and standard error; give a stream to the real standard error.

    What was captured is shown on the real standard error when the body fails with an exception that is not ours: then
    it may hold the cause. Else it is dropped. Inside another `quiet`, enabled or not, this one changes nothing.

    Args:
        enabled: False captures nothing.
    """
    if (outer := _OUTER.get()) is not None:
        yield outer
        return
    with _captured() if enabled else _shown() as stream:
        token = _OUTER.set(stream)
        try:
            yield stream
        finally:
            _OUTER.reset(token)


@contextlib.contextmanager
def _shown() -> Iterator[TextIO]:
    yield sys.stderr if sys.stderr is not None else io.StringIO()


@contextlib.contextmanager
def _captured() -> Iterator[TextIO]:
    with _LOCK, _descriptors_open(), contextlib.ExitStack() as stack:
        capture = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", buffering=1))
        real = stack.enter_context(_real_stderr())
        try:
            with _descriptors_on(capture), _streams_on(capture):
                yield real
        except ExporterError:
            raise
        except Exception:
            _copy(capture, real)
            raise


class _Turned(io.TextIOBase):
    """A stream that writes to the capture while `quiet` is active, and to the original ever after.

    Log handlers keep the stream they find when a library is imported; theirs must not be a closed file later.
    """

    encoding = "utf-8"

    def __init__(self, original: TextIO, capture: TextIO) -> None:
        self.original, self.target = original, capture

    def write(self, text: str) -> int:
        return self.target.write(text)

    def flush(self) -> None:
        self.target.flush()

    def writable(self) -> bool:
        return True

    @property
    def buffer(self) -> Any:
        return self.target.buffer

    def turn_back(self) -> None:
        self.target = self.original


@contextlib.contextmanager
def _streams_on(capture: TextIO) -> Iterator[None]:
    """Point `sys.stdout` and `sys.stderr` at `capture`."""
    originals = sys.stdout, sys.stderr
    turned = [_Turned(stream, capture) if stream is not None else None for stream in originals]
    sys.stdout, sys.stderr = turned
    try:
        yield
    finally:
        for stream in turned:
            if stream is not None:
                stream.turn_back()
        sys.stdout, sys.stderr = originals


@contextlib.contextmanager
def _descriptors_on(capture: TextIO) -> Iterator[None]:
    """Point the descriptors 1 and 2 at `capture`."""
    _flush()
    saved = [os.dup(1), os.dup(2)]
    try:
        for descriptor in (1, 2):
            os.dup2(capture.fileno(), descriptor)
        yield
    finally:
        _flush()
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


@contextlib.contextmanager
def _descriptors_open() -> Iterator[None]:
    """Open those of the descriptors 0, 1 and 2 that are closed: else the next file that is opened becomes one."""
    opened = []
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        opened.append(descriptor)
    os.close(descriptor)
    try:
        yield
    finally:
        for descriptor in opened:
            os.close(descriptor)


@contextlib.contextmanager
def _real_stderr() -> Iterator[TextIO]:
    """Give a stream to standard error that stays what it is while descriptor 2 is turned."""
    if sys.stderr is not None and not _is_descriptor_2(sys.stderr):
        yield sys.stderr  # replaced by a test or a notebook: that is where the user looks
        return
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    with open(os.dup(2), "w", encoding=encoding, errors="backslashreplace", buffering=1) as stream:
        yield stream


def _is_descriptor_2(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, ValueError, AttributeError):
        return False


def _flush() -> None:
    """Flush what Python and the C library hold back, so that it lands where it was meant to."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    with contextlib.suppress(Exception):  # no C library that can be opened by this name: Windows
        import ctypes

        ctypes.CDLL(None).fflush(None)


def _copy(capture: TextIO, real: TextIO) -> None:
    capture.seek(0)
    with contextlib.suppress(OSError):
        real.write(capture.read())
        real.flush()


__all__ = ["quiet"]
