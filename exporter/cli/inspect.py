"""`kx inspect`: what a file says of itself."""

from __future__ import annotations

from pathlib import Path

import click

from exporter.cli import _options as options
from exporter.cli._mode import Mode


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@options.as_json
@options.verbose
@click.pass_obj
def command(mode: Mode, /, file: Path) -> int:
    """Show inputs, outputs, ops, size and metadata of FILE.

    FILE is a .onnx or .tflite file, or the folder of a SavedModel.
    """
    with mode.working():
        from exporter import formats

        inspection = formats.of_path(file).inspect(file)
    if mode.json:
        from exporter.report.document import plain

        mode.print_json(plain(inspection))
    else:
        from exporter.report.contents import print_inspection

        print_inspection(file, inspection, mode.console())
    return 0
