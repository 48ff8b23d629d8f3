"""Where a file begins to differ from Keras, on a terminal: the layers around the first that does."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exporter.report import figures
from exporter.report.terminal import print_problems
from exporter.spec import LayerParity, Location

BEFORE, AFTER = 4, 3  # layers shown around the first that differs


def print_location(location: Location, console: Console, *, everything: bool = False) -> None:
    """Print the layers, all or those around the first that differs, and the verdict in one sentence."""
    layers = list(location.layers)
    first = layers.index(location.first) if location.first is not None else None
    start, end = _range(len(layers), first, everything=everything)
    console.print()
    console.print(_table(layers[start:end], hidden=(start, len(layers) - end)))
    console.print()
    print_problems(location.problems, console)
    mark = ("✓", "✗") if not console.options.ascii_only else ("+", "x")
    good = location.ok and first is None
    console.print(Text(f"{mark[0 if good else 1]} {verdict(location)}", style="green" if good else "bold red"))


def verdict(location: Location) -> str:
    """Return the outcome in one or two sentences."""
    first, count = location.first, len(location.layers)
    if first is None:
        compared = f"{count} of its layers could be compared, and all give what Keras gives"
        return compared if location.ok else f"The file differs, but {compared}: the difference comes after them"
    text = f"{first.name} ({first.kind}) is the first layer that differs: {_size(first)}"
    if first.alone is not None:
        alone = "also differs" if not first.alone.ok else "does not differ, so the error was carried in"
        text += f". Fed with what Keras feeds it, it {alone}"
    return text if not location.ok else f"{text}. The outputs are within their tolerances all the same"


def _size(layer: LayerParity) -> str:
    return layer.chain.note or f"{layer.chain.error:.3g}, allowed {layer.chain.tolerance:.3g}, on {layer.chain.case}"


def _range(count: int, first: int | None, *, everything: bool) -> tuple[int, int]:
    if everything:
        return 0, count
    if first is None:
        return max(0, count - BEFORE - AFTER), count
    return max(0, first - BEFORE), min(count, first + 1 + AFTER)


def _table(layers: Sequence[LayerParity], hidden: tuple[int, int]) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title in ("layer", "class"):
        grid.add_column(title, overflow="fold")
    for title in ("error", "of tolerance"):
        grid.add_column(title, justify="right", no_wrap=True)
    if hidden[0]:
        grid.add_row(Text(f"{hidden[0]} before", style="dim"))
    for layer in layers:
        style = "" if layer.ok else "red"
        cells = (layer.name, layer.kind, figures.distance(layer.chain), figures.share(layer.chain.ratio))
        grid.add_row(*(Text(cell, style=style) for cell in cells))
    if hidden[1]:
        grid.add_row(Text(f"{hidden[1]} after", style="dim"))
    return grid


__all__ = ["print_location", "verdict"]
