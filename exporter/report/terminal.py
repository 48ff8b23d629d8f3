"""The report on a terminal: one line for each model and format, then what is wrong and how to fix it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from exporter.errors import ExporterError
from exporter.report import figures, page_of
from exporter.spec import Artifact, Inspection, Problem, Report

_STYLES: dict[figures.Mood, str] = {"good": "green", "unsure": "yellow", "bad": "bold red"}
_MARKS: dict[figures.Mood, str] = {"good": "✓", "unsure": "•", "bad": "✗"}
_ASCII_MARKS: dict[figures.Mood, str] = {"good": "+", "unsure": "-", "bad": "x"}
_WIDE = 120  # columns from which on inputs and outputs fit into the table


def print_report(report: Report, console: Console) -> None:
    """Print the table of one report, what went wrong, and where to read more."""
    console.print()
    console.print(table([report], console))
    console.print()
    print_problems(report.problems, console)
    for names, error in figures.failures(report):
        console.print(Text(names, style="bold"))
        print_error(error, console)
        console.print()
    for note in figures.notes(report):
        _print_labelled("note", note, console, "dim")
    mood, sentence = figures.summary(report)
    page = page_of(report)
    console.print(_marked(mood, sentence, console, f"  {page}" if page is not None else ""), soft_wrap=True)


def table(reports: Sequence[Report], console: Console) -> Group:
    """Return one line for each model and format, under one header, laid out for the width of `console`."""
    wide = console.width >= _WIDE
    parts: list[RenderableType] = []
    for report in reports:
        if report.artifacts:
            parts += [Text()] if parts else []
            header = not parts
            parts += [_headline(report, console, interface=not wide), _table(report, console, wide=wide, header=header)]
    return Group(*parts)


def _table(report: Report, console: Console, *, wide: bool, header: bool) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=header)
    for title, width in (("format", 10), ("size", 7)):
        grid.add_column(title, width=width, no_wrap=True, justify="left" if title == "format" else "right")
    if wide:
        grid.add_column("inputs, outputs", overflow="fold", ratio=1)
    for title, width in (("error", 9), ("of tolerance", 12), ("top-1", 7), ("time", 8)):
        grid.add_column(title, width=width, no_wrap=True, justify="right")
    grid.add_column(no_wrap=True)
    for artifact in report:
        grid.add_row(*_cells(artifact, console, wide=wide))
    return grid


def print_problems(problems: Sequence[Problem], console: Console) -> None:
    """Print what the checks found: where, why, and what to do about it."""
    for problem in problems:
        mood: figures.Mood = "bad" if problem.severity == "error" else "unsure"
        formats = f" ({', '.join(map(figures.title, problem.formats))})" if problem.formats else ""
        console.print(_marked(mood, problem.where, console, formats))
        _print_labelled("why", problem.reason, console)
        if problem.remedy:
            _print_labelled("fix", problem.remedy, console)
        console.print()


def print_error(error: ExporterError, console: Console) -> None:
    """Print an error: what failed, where, why, and what to do about it."""
    console.print(_marked("bad", error.what, console))
    for label, text in (("where", error.where), ("why", error.reason), ("fix", error.remedy)):
        if text:
            _print_labelled(label, text, console)


def _headline(report: Report, console: Console, *, interface: bool) -> Text:
    line = Text(report.model, style="bold")
    if (parameters := report.source.get("parameters")) is not None:
        line.append(f"  {parameters:,} parameters", style="not bold dim")
    inspection = next((a.inspection for a in report if a.inspection is not None), None)
    if interface and inspection is not None:
        line.append(f"\n{_interface(inspection, console)}", style="not bold dim")
    return line


def _interface(inspection: Inspection, console: Console) -> str:
    arrow = "->" if console.options.ascii_only else "→"
    return f"{figures.interface(inspection.inputs)}  {arrow}  {figures.interface(inspection.outputs)}"


def _cells(artifact: Artifact, console: Console, *, wide: bool) -> list[Text]:
    inspection, worst = artifact.inspection, figures.worst(artifact)
    cells = [Text(figures.title(artifact.format)), Text(figures.file_size(inspection.size) if inspection else "")]
    if wide:
        cells.append(Text(_interface(inspection, console) if inspection else "", style="dim"))
    if worst is None:
        cells += [Text("-", style="dim")] * 2
    else:
        parity, dtype = worst
        style = "" if parity.ok else "red"
        cells += [Text(figures.distance(parity, dtype), style=style), _gauge(parity.ratio, console)]
    cells.append(Text(figures.agreement(artifact.parity.top1 if artifact.parity is not None else None)))
    cells.append(Text(figures.duration(artifact.seconds), style="dim"))
    mood, word = figures.verdict(artifact)
    return [*cells, _marked(mood, word, console)]


def _gauge(ratio: float, console: Console, width: int = 6) -> Text:
    """Return the share of the tolerance that the error uses up, drawn and in figures."""
    colour = "green" if ratio <= 0.5 else "yellow" if ratio <= 1 else "red"
    share = Text(figures.share(ratio).rjust(5), style="red" if colour == "red" else "")
    if console.options.ascii_only:
        return share
    filled = width if math.isnan(ratio) else math.ceil(min(ratio, 1.0) * width)
    return Text.assemble(("━" * filled, colour), ("━" * (width - filled), "bright_black"), " ", share)


def _marked(mood: figures.Mood, text: str, console: Console, suffix: str = "") -> Text:
    mark = (_ASCII_MARKS if console.options.ascii_only else _MARKS)[mood]
    return Text.assemble((f"{mark} {text}", _STYLES[mood]), (suffix, "dim"))


def _print_labelled(label: str, text: str, console: Console, style: str = "") -> None:
    """Print a labelled paragraph, further lines indented like the first; paths are never broken: they get copied."""
    indent = 8
    lines = [
        part
        for line in text.splitlines() or [""]
        for part in textwrap.wrap(line, max(console.width - indent, 20), break_long_words=False, break_on_hyphens=False)
        or [""]
    ]
    paragraph = Text.assemble((label.rjust(indent - 1), "dim"), " ", (f"\n{' ' * indent}".join(lines), style))
    console.print(paragraph, soft_wrap=True)


__all__ = ["print_error", "print_problems", "print_report", "table"]
