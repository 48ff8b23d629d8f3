"""Latencies on a terminal: a table, with a bar for each file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exporter.report import figures

if TYPE_CHECKING:
    from exporter.pipeline.latency import Latency

COLUMNS = 76  # of the table without its bars
BAR = (4, 32)  # columns of the longest bar, at least and at most


def print_latencies(latencies: Sequence[Latency], console: Console) -> None:
    """Print a row for each file, the fastest first; the bars show the time for one row of the batch."""
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title in ("format", "runtime"):
        grid.add_column(title, no_wrap=True)
    for title in ("size", "batch", "median", "p90", "rows/s"):
        grid.add_column(title, no_wrap=True, justify="right")
    grid.add_column("", no_wrap=True)
    width = min(max(console.width - COLUMNS, BAR[0]), BAR[1])
    longest = max(latency.median / latency.batch for latency in latencies)
    for latency in latencies:
        share = latency.median / latency.batch / longest
        grid.add_row(
            figures.title(latency.format),
            latency.runtime,
            figures.file_size(latency.size),
            str(latency.batch),
            milliseconds(latency.median),
            milliseconds(latency.p90),
            f"{latency.batch / latency.median:,.0f}",
            _bar(share * width, console),
        )
    console.print()
    console.print(grid)
    console.print()


def milliseconds(seconds: float) -> str:
    """Return a short time in three digits: "0.0123 ms", "4.56 ms", "789 ms"."""
    value = seconds * 1e3
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{digits}f} ms"


def _bar(length: float, console: Console) -> Text:
    return Text(("#" if console.options.ascii_only else "█") * max(1, round(length)), style="cyan")


__all__ = ["milliseconds", "print_latencies"]
