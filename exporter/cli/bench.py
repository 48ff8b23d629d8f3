"""`kx bench`: how long each file takes in its runtime."""

from __future__ import annotations

import io
from pathlib import Path

import click

from exporter.cli import _options as options
from exporter.cli._mode import Mode


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--batch", type=click.IntRange(min=1), default=1, help="Rows of each run; a file's fixed batch wins.")
@click.option("--threads", type=click.IntRange(min=1), default=1, help="Threads for one op.")
@click.option("--seconds", type=click.FloatRange(min=0.01), default=3.0, help="Of measuring, for each file.")
@click.option("--plot", metavar="FILE", type=click.Path(path_type=Path), help="Draw the table and its bars (.svg).")
@options.as_json
@options.verbose
@click.pass_obj
def command(mode: Mode, /, directory: Path, batch: int, threads: int, seconds: float, plot: Path | None) -> int:
    """Time the files in DIR, each in its runtime, in turn.

    They are fed with the samples that the export left beside them.
    """
    with mode.working() as progress:
        from exporter.pipeline.latency import bench

        latencies = bench(directory, batch=batch, threads=threads, seconds=seconds, progress=progress)
    from exporter.report.latencies import print_latencies

    if mode.json:
        from exporter.report.document import plain

        mode.print_json({"threads": threads, "latencies": plain(latencies)})
    else:
        print_latencies(latencies, mode.console())
    if plot is not None:
        from rich.console import Console

        from exporter.run.disk import output_error

        drawing = Console(record=True, width=120, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        print_latencies(latencies, drawing)
        try:
            drawing.save_svg(str(plot), title=f"kx bench, {threads} thread(s)", unique_id="bench")
        except OSError as error:
            raise output_error(error, plot) from error
    return 0
