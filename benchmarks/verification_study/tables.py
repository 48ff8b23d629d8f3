"""The tables that the study prints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.verification_study.comparators import COMPARATORS
from benchmarks.verification_study.record import Line, Record

Group = dict[str, list[Line]]


def printed(record: Record, console: Console) -> None:
    """Print everything."""
    _right(record.of("right"), console)
    _faults(record.of("fault"), console)
    _listed("Gaps of the study", record.of("gap"), console)


def _right(lines: Sequence[Line], console: Console) -> None:
    judged = _of(lines, "right")
    if not judged:
        return
    title = f"Right files: {len(judged)}; refused by the rule: {_count(judged, _alarm)}"
    for label, key in (("format", _format_and_maker), ("family", lambda line: line["family"])):
        table = Table("by " + label, "right files", "false alarms", "doubtful", "of these refused", title=title)
        for name, group in _grouped(lines, key).items():
            right, doubtful = _of(group, "right"), _of(group, "doubtful")
            if label == "format" or _count(right, _alarm) or doubtful:
                figures = (len(right), _count(right, _alarm), len(doubtful), _count(doubtful, _alarm))
                table.add_row(name, *map(str, figures))
        console.print(table)
    console.print(_others("False alarms of others, right files", judged, lambda passed: not passed))
    _listed("False alarms", filter(_alarm, judged), console)
    _listed("Doubtful: look at them", _of(lines, "doubtful"), console)
    for state, what in (("broken", "do not run"), ("refused", "were refused"), ("died", "ended the process")):
        _listed(f"Our files that {what}", (x for x in _of(lines, state) if x["maker"] == "ours"), console)
    times = [line["seconds"] for line in judged]
    proofs = {line["case"]: line.get("proof", 0.0) for line in judged}
    console.print(
        f"Seconds: {sum(proofs.values()) / len(proofs):.2f} a model for the reference, "
        f"{sum(times) / len(times):.2f} a file for the comparison, {max(times):.1f} at most"
    )


def _faults(lines: Sequence[Line], console: Console) -> None:
    visible = [line for line in lines if line.get("state") == "visible"]
    if not visible:
        return
    families, kinds = ({line[key] for line in visible} for key in ("family", "kind"))
    title = f"{len(visible)} visible faults of {len(lines)}, {len(families)} families, {len(kinds)} kinds"
    for label, key in (("format", lambda line: line["format"]), ("kind", lambda line: line["kind"])):
        table = Table("by " + label, "visible", "found", "%", title=title)
        for name, group in sorted(_grouped(visible, key).items()):
            table.add_row(name, *_share(group, _alarm))
        if label == "format":
            table.add_row("all", *_share(visible, _alarm))
        console.print(table)
    console.print(_others("Faults found by others", visible, lambda passed: not passed))
    _listed("Missed", (line for line in visible if line["ok"]), console)


def _others(title: str, lines: Sequence[Line], counted: Callable[[bool], bool]) -> Table:
    """Return how often each of the other comparators refuses."""
    table = Table("comparison", "files", "refused", "%", title=title)
    table.add_row("this project's", *_share(lines, _alarm))
    for name in COMPARATORS:
        table.add_row(name, *_share(lines, lambda line, n=name: counted(line["others"][n])))
    return table


def _share(lines: Sequence[Line], test: Callable[[Line], bool]) -> tuple[str, str, str]:
    count = _count(lines, test)
    return str(len(lines)), str(count), f"{100 * count / len(lines):.1f}"


def _listed(title: str, lines: Iterable[Line], console: Console) -> None:
    found = list(lines)
    if found:
        console.print(f"[bold]{title}[/]: {len(found)}")
    for line in found:
        more = (
            f"excess {line['excess']:.2g}; " if "excess" in line else f"{line.get('visible', 0):.3g} times the noise; "
        )
        console.print(f"  {line['key']}: {more}{line.get('worst', line.get('why', ''))}", markup=False, soft_wrap=True)


def _alarm(line: Line) -> bool:
    return not line["ok"]


def _count(lines: Iterable[Line], test: Callable[[Line], bool]) -> int:
    return sum(map(test, lines))


def _of(lines: Iterable[Line], judged: str) -> list[Line]:
    return [line for line in lines if line.get("judged", "died") == judged]


def _format_and_maker(line: Line) -> str:
    return f"{line['format']}, {line['maker']}"


def _grouped(lines: Iterable[Line], key: Callable[[Line], Any]) -> Group:
    groups: Group = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return groups
