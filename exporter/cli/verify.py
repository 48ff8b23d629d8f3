"""`kx verify`: run files that lie on disk again."""

from __future__ import annotations

from pathlib import Path

import click

from exporter.cli import _options as options
from exporter.cli._mode import Mode


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="Compare with this Keras model too.")
@options.custom
@options.trust
@options.as_json
@options.verbose
@options.quiet
@click.pass_obj
def command(mode: Mode, /, directory: Path, model: Path | None, custom: tuple[str, ...], trust: bool) -> int:
    """Run the files in DIR again and compare what they compute.

    They are held against the samples that the export left beside them, and against MODEL if it is given.
    """
    with mode.working() as progress:
        from exporter.loading import import_custom
        from exporter.pipeline import verify

        report = verify(directory, model=model, custom_objects=import_custom(custom), trust=trust, progress=progress)
    from exporter.cli._outcome import print_report

    return print_report(report, mode)
