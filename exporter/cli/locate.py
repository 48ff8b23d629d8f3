"""`kx locate`: the first layer that a file computes otherwise."""

from __future__ import annotations

from pathlib import Path

import click

from exporter.cli import _options as options
from exporter.cli._mode import Mode
from exporter.errors import ParityError


@click.command()
@options.model_argument
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Show every layer, not only those around the first.")
@click.option("--samples", metavar="FILE", type=click.Path(path_type=Path), help="Your own data (.npz, .npy).")
@options.custom
@options.trust
@options.as_json
@options.verbose
@click.pass_obj
def command(
    mode: Mode,
    /,
    model: Path,
    file: Path,
    everything: bool,
    samples: Path | None,
    custom: tuple[str, ...],
    trust: bool,
) -> int:
    """Find the first layer of MODEL that FILE computes otherwise.

    FILE is an .onnx file that `kx export` wrote of MODEL.
    """
    with mode.working() as progress:
        from exporter.loading import import_custom
        from exporter.pipeline import locate

        location = locate(
            model,
            file,
            custom_objects=import_custom(custom),
            samples=options.read_samples(samples) if samples else None,
            trust=trust,
            progress=progress,
        )
    if mode.json:
        from exporter.report.document import location_to_dict

        mode.print_json(location_to_dict(location))
    else:
        from exporter.report.layers import print_location

        print_location(location, mode.console(), everything=everything)
    return 0 if location.ok else ParityError.exit_code
