"""Show what is being done: `with progress("Converting to ONNX"):`.

Three forms of one protocol: `Silent` (the default of the Python API), `Lines` (a log, a pipe) and `Live` (a terminal).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    import rich.progress

Advance = Callable[[], None]


class Progress(Protocol):
    """Called with the title of a stage, it gives a context manager for the duration of that stage.

    Stages may be nested. Where `total` steps are known, call what the context manager gives after each step:

        with progress("Comparing with Keras", total=len(cases)) as advance:
            for case in cases:
                ...
                advance()
    """

    def __call__(self, title: str, total: int | None = None) -> AbstractContextManager[Advance]:
        """Begin the stage `title`."""
        ...


class Silent:
    """Show nothing."""

    @contextlib.contextmanager
    def __call__(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Begin a stage that nobody sees."""
        yield lambda: None


class Lines:
    """One line for each stage as it begins, with the seconds since the first: for logs and pipes.

    Args:
        stream: where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._depth = 0
        self._start = time.monotonic()

    @contextlib.contextmanager
    def __call__(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Write the title of a stage."""
        elapsed = time.monotonic() - self._start
        self.stream.write(f"{elapsed:7.1f} s  {'  ' * self._depth}{title}\n")
        self.stream.flush()
        self._depth += 1
        try:
            yield lambda: None
        finally:
            self._depth -= 1


class Live:
    """A spinner, a bar and the time for each stage under way; the finished ones stay above as a list.

    Args:
        stream: a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self.console = Console(file=stream, highlight=False)
        self._display: rich.progress.Progress | None = None

    @contextlib.contextmanager
    def __call__(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Show a stage until it ends."""
        from rich.markup import escape

        with self._shown() as display:
            task = display.add_task(escape(title), total=total)
            start = time.monotonic()
            mark = "[red]failed[/]"
            try:
                yield lambda: display.advance(task)
                mark = "[green]done[/]  "
            finally:
                display.remove_task(task)
                display.console.print(f"{mark} {escape(title)} [dim]{time.monotonic() - start:.1f} s[/]")

    @contextlib.contextmanager
    def _shown(self) -> Iterator[rich.progress.Progress]:
        """Give the one live display; the outermost stage starts and ends it."""
        if self._display is not None:
            yield self._display
            return
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
        with Progress(
            *columns, console=self.console, transient=True, redirect_stdout=False, redirect_stderr=False
        ) as d:
            self._display = d
            try:
                yield d
            finally:
                self._display = None


def progress_on(stream: TextIO, *, lines: bool = False) -> Progress:
    """Return the form of progress that suits `stream`; `lines` asks for plain lines even on a terminal."""
    return Lines(stream) if lines or not stream.isatty() else Live(stream)


__all__ = ["Advance", "Lines", "Live", "Progress", "Silent", "progress_on"]
