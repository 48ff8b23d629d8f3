"""What a file says of itself, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exporter.report import figures
from exporter.spec import Inspection


def print_inspection(path: Path, inspection: Inspection, console: Console) -> None:
    """Print the inputs, outputs, facts, ops and metadata of a file."""
    head = Text(str(path), style="bold")
    head.append(f"  {figures.title(inspection.format)}, {figures.file_size(inspection.size)}", style="not bold dim")
    console.print(head)
    console.print(_tensors(inspection))
    for title, rows in (
        ("facts", _pairs(inspection.facts)),
        ("ops", _ops(inspection)),
        ("metadata", _pairs(inspection.metadata)),
    ):
        if rows.row_count:
            console.print(Text(f"\n{title}", style="dim"))
            console.print(rows)


def _tensors(inspection: Inspection) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for kind, tensors in (("input", inspection.inputs), ("output", inspection.outputs)):
        for tensor in tensors:
            row = (Text(kind, style="dim"), tensor.name, tensor.dtype, f"[{figures.shape(tensor)}]")
            grid.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return grid


def _ops(inspection: Inspection) -> Table:
    """Return how often each op occurs, most frequent first."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right")
    for op, count in sorted(inspection.ops.items(), key=lambda item: (-item[1], item[0])):
        grid.add_row(f"{count:,}", Text(op))
    return grid


def _pairs(facts: Mapping[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row(Text(name.replace("_", " ")), Text(figures.fact(value)))
    return grid


__all__ = ["print_inspection"]
