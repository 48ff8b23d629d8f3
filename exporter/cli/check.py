"""`kx check`: everything that will not export or reload, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exporter.cli import _options as options
from exporter.cli._mode import Mode
from exporter.errors import UnsupportedError

if TYPE_CHECKING:
    from exporter.spec import Problem, TensorInfo


@click.command()
@options.model_argument
@options.to
@options.custom
@options.shapes
@options.inputs
@options.trust
@options.as_json
@options.verbose
@click.pass_obj
def command(
    mode: Mode,
    /,
    model: Path,
    formats: tuple[str, ...],
    custom: tuple[str, ...],
    shapes: tuple[tuple[str, tuple[int | None, ...]], ...],
    inputs: tuple[TensorInfo, ...],
    trust: bool,
) -> int:
    """Find what in MODEL will not export, and how to fix it."""
    with mode.working() as progress:
        from exporter.loading import import_custom
        from exporter.pipeline import check

        problems = check(
            model,
            formats=formats,
            input_signature=options.signature(shapes, inputs),
            custom_objects=import_custom(custom),
            trust=trust,
            progress=progress,
        )
    if mode.json:
        from exporter.report.document import plain

        mode.print_json({"ok": not _errors(problems), "model": str(model), "problems": plain(problems)})
    else:
        from exporter.report.terminal import print_problems

        console = mode.console()
        print_problems(problems, console)
        count = len(_errors(problems))
        console.print(f"{count} of {len(problems)} findings stop an export" if count else "Nothing stops an export")
    return UnsupportedError.exit_code if _errors(problems) else 0


def _errors(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]
