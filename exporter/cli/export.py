"""`kx export`: write and verify the files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exporter.cli import _options as options
from exporter.cli._mode import Mode

if TYPE_CHECKING:
    from exporter.spec import Batch, TensorInfo


@click.command()
@options.model_argument
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@options.to
@options.custom
@click.option("--batch", type=options.BatchType(), default="dynamic", help="Batch size of SavedModel and ONNX files.")
@click.option("--tflite-batch", type=options.BatchType(), default=1, help="Batch size of TFLite files.")
@options.shapes
@options.inputs
@click.option("--opset", type=click.IntRange(min=1), metavar="N", help="ONNX opset.  [default: the lowest that serves]")
@click.option(
    "--samples", metavar="FILE", type=click.Path(path_type=Path), help="Your own data to compare on (.npz, .npy)."
)
@click.option(
    "--labels",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Names of the classes that an output scores, one in each line.",
)
@click.option(
    "--allow-flex", is_flag=True, help="Keep ops that TFLite does not have, for the Flex delegate of TensorFlow to run."
)
@click.option(
    "--micro",
    is_flag=True,
    help="Write C++ sources for microcontrollers too: the model, its ops, the size of its arena.",
)
@options.trust
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="X",
    help="Largest difference that you accept, relative to the scale of each output.  [default: what rounding explains]",
)
@click.option("--keep-verified", is_flag=True, help="Write the formats that were verified even if another one failed.")
@click.option("--no-verify", is_flag=True, help="Do not run the files and compare them with Keras.")
@options.as_json
@options.verbose
@options.quiet
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - one parameter for each option
    mode: Mode,
    /,
    model: Path,
    output: Path,
    formats: tuple[str, ...],
    custom: tuple[str, ...],
    batch: Batch,
    tflite_batch: Batch,
    shapes: tuple[tuple[str, tuple[int | None, ...]], ...],
    inputs: tuple[TensorInfo, ...],
    opset: int | None,
    samples: Path | None,
    labels: Path | None,
    allow_flex: bool,
    micro: bool,
    trust: bool,
    tolerance: float | None,
    keep_verified: bool,
    no_verify: bool,
) -> int:
    """Export MODEL to files in DIR, each compared with Keras.

    MODEL is a .keras or .h5 file, or the folder of a SavedModel. DIR is replaced as a whole when everything passed,
    else it is left as it was, and the report stands beside it: DIR.report.html.
    """
    with mode.working() as progress:
        from exporter.loading import import_custom
        from exporter.pipeline import export
        from exporter.pipeline.labels import read_labels

        report = export(
            model,
            output,
            formats=(*formats, "micro") if micro else formats,
            input_signature=options.signature(shapes, inputs),
            batch=batch,
            tflite_batch=tflite_batch,
            opset=opset,
            custom_objects=import_custom(custom),
            verify=not no_verify,
            samples=options.read_samples(samples) if samples else None,
            labels=read_labels(labels) if labels else None,
            allow_flex=allow_flex,
            trust=trust,
            tolerance=tolerance,
            keep_verified=keep_verified,
            progress=progress,
        )
    from exporter.cli._outcome import print_report

    return print_report(report, mode)
