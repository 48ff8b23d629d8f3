"""`kx fix`: a model file that reloads anywhere, written again without Lambda layers, whichever Keras it came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exporter.cli import _options as options
from exporter.cli._mode import Mode

if TYPE_CHECKING:
    from exporter.lambdas import Removal


@click.command()
@options.model_argument
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), required=True, help="File to write.")
@options.custom
@options.trust
@options.as_json
@options.verbose
@options.quiet
@click.pass_obj
def command(mode: Mode, /, model: Path, output: Path, custom: tuple[str, ...], trust: bool) -> int:
    """Write MODEL as a file of Keras 3, without its Lambda layers.

    FILE (.keras) is verified to compute the same. Files of Keras 2 keep the meaning that they had there; what was kept by
    other means is told.

    Calls of tf.*, K.* and NumPy in a Lambda are translated to keras.ops. A Lambda in a file is Python code: reading it
    needs --trust. FILE is loaded again, without trust, and compared before it gets its name; when a Lambda has to stay,
    every reason is told and nothing is written.
    """
    with mode.working() as progress:
        from exporter.lambdas.files import fix
        from exporter.loading import import_custom

        fixed = fix(model, output, custom_objects=import_custom(custom), trust=trust, progress=progress)
    if mode.json:
        from exporter.report.document import plain

        replaced = [{"layer": entry.layer, "operations": list(entry.operations)} for entry in fixed.replaced]
        document = {"ok": True, "model": str(model), "output": str(output), "trusted": trust, "replaced": replaced}
        mode.print_json({**document, "keras_2": fixed.meaning, "notes": plain(list(fixed.notes))})
    elif not mode.quiet:
        _print(output, fixed, mode, trust)
    return 0


def _print(output: Path, fixed: Removal, mode: Mode, trust: bool) -> None:
    console = mode.console()
    if trust:
        console.print("Trusted: code in the model file was allowed to run", markup=False)
    for entry in fixed.replaced:
        console.print(f"{entry.layer}: {', '.join(entry.operations) or 'nothing: it returned its input'}", markup=False)
    for note in fixed.notes:
        console.print(f"note: {note}", markup=False)
    console.print(f"Wrote {output}: {', '.join(_done(fixed))}; same function, verified", markup=False)


def _done(fixed: Removal) -> list[str]:
    """What was done, in words."""
    notes = _counted(len(fixed.notes), "note")
    done = [f"read with the meaning of Keras {fixed.meaning} ({notes})"] if fixed.meaning else []
    if fixed.replaced:
        done.append(f"{_counted(len(fixed.replaced), 'Lambda call')} replaced")
    return done or ["it has no Lambda, and is written as it was"]


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
