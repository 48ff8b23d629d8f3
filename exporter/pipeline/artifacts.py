"""The artifact of one format: write the file, open it in its runtime, compare it with Keras."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exporter import formats
from exporter.capture.inference import Inference
from exporter.capture.source import Source
from exporter.errors import ExporterError, MissingRuntimeError, ParityError, UsageError
from exporter.formats import Format, LayerProbes, Runner
from exporter.run.progress import Progress
from exporter.spec import Artifact, LayerParity, Options, Parity, Problem
from exporter.verification.batches import fixed_batch
from exporter.verification.diagnosis import REPORT, describe, remedy_for
from exporter.verification.locate import compare_layers
from exporter.verification.model_verification import ModelVerification

MIXES = (
    "the rows of a batch depend on each other in this model: the file is for batches of {batch} and compared with these; "
    "for others export it with batch=N, tflite_batch=N (--batch N, --tflite-batch N)"
)

KERNELS = (
    "where NaN comes from and goes to is a matter of the runtime's kernels here ({limits}); if your inputs never lead there, "
    "keep them away in the model, as by keras.ops.maximum, or write the file without verification: verify=False (--no-verify)"
)


@dataclass
class Job:
    """What the formats of one export share."""

    inference: Inference
    options: Options
    metadata: Mapping[str, Any]
    folder: Path
    verification: ModelVerification | None = None


def write_and_verify(form: Format, job: Job, output: Path, progress: Progress) -> Artifact:
    """Write one format, open it, compare it with Keras; an error of ours ends this format, not the others.

    What a format that failed has written is removed.
    """
    start, path = time.monotonic(), job.folder / form.filename
    before = set(job.folder.iterdir())
    artifact = Artifact(form.name, output / form.filename)
    try:
        with progress(f"Converting to {form.title}"):
            form.write(job.inference, path, job.options, job.metadata)
            artifact = replace(artifact, inspection=form.inspect(path))
        with progress(f"Verifying {form.title}"):
            artifact = _verified(artifact, form, path, job.verification, job.inference)
    except ExporterError as error:
        artifact = replace(artifact, path=None, error=error)
    if not artifact.ok:
        artifact = replace(artifact, path=None)
        for entry in set(job.folder.iterdir()) - before:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return replace(artifact, seconds=time.monotonic() - start)


def verify_again(artifact: Artifact, verification: ModelVerification, progress: Progress) -> Artifact:
    """Open an artifact that lies on disk and compare it."""
    form, start = formats.get(artifact.format), time.monotonic()
    path = artifact.path or Path()
    artifact = Artifact(form.name, path)
    try:
        with progress(f"Verifying {form.title}"):
            artifact = _verified(replace(artifact, inspection=formats.inspected(form, path)), form, path, verification)
    except ExporterError as error:
        artifact = replace(artifact, error=error)
    return replace(artifact, seconds=time.monotonic() - start)


def _verified(
    artifact: Artifact,
    form: Format,
    path: Path,
    verification: ModelVerification | None,
    inference: Inference | None = None,
) -> Artifact:
    """Open a file in its runtime and, if there is a verification, compare it with Keras; look for the layer at fault."""
    try:
        runner = form.open(path)
    except MissingRuntimeError:
        if verification is None:  # nobody asked to run it
            return artifact
        raise
    if verification is None:
        return artifact
    verification, parity = _checked(verification, runner)
    if parity.ok:
        return replace(artifact, parity=parity, error=None)
    layer_probes = form.layer_probes(path) if inference is not None else None
    layers = (
        compare_layers(inference, layer_probes, verification.most_informative(parity))
        if inference is not None and layer_probes is not None
        else ()
    )
    first = next((layer for layer in layers if not layer.ok), None)
    return replace(
        artifact, parity=parity, error=_parity_error(form, parity, first, _remedy(artifact, verification, parity))
    )


def _checked(verification: ModelVerification, runner: Runner) -> tuple[ModelVerification, Parity]:
    """Compare a file; where rows of a batch depend on each other, with Keras on batches as large as the file's."""
    batch = fixed_batch(runner.inputs, verification.reference.inputs)
    if not batch or verification.divides_into(batch):
        parity = verification.check(runner)
        if parity.ok or not batch or not verification.depends_across_rows(parity, batch):
            return verification, parity
    same_batch = verification.of_batch(batch)
    parity = same_batch.check(runner)
    return same_batch, replace(parity, notes=(*parity.notes, MIXES.format(batch=batch)))


def _remedy(artifact: Artifact, verification: ModelVerification, parity: Parity) -> str:
    if parity.outputs and parity.worst.note.startswith("NaN") and (limits := _limits(artifact)):
        return KERNELS.format(limits=limits)
    return remedy_for(parity, verification.stated) if parity.outputs else REPORT


def open_layer_probes(form: Format, path: Path) -> LayerProbes:
    """Audit a file and open it with a look inside.

    Raises:
        UnsafeFileError, InvalidArtifactError: as `formats.inspected`.
        UsageError: if it does not say which tensors belong to which layer.
    """
    formats.inspected(form, path)
    layer_probes = form.layer_probes(path)
    if layer_probes is None:
        raise UsageError(
            "the file does not say which tensors belong to which layer",
            where=str(path),
            reason="only ONNX files of this exporter do",
            remedy="export the model with `kx export MODEL -o DIR --to onnx`",
        )
    return layer_probes


def _limits(artifact: Artifact) -> str:
    """Return what is known of NaN in the runtime's kernels for the ops of a file."""
    facts = artifact.inspection.facts if artifact.inspection is not None else {}
    return ", ".join(f"{op}: {limit}" for op, limit in facts.get("limits", {}).items() if "NaN" in limit)


def _parity_error(form: Format, parity: Parity, first: LayerParity | None, remedy: str) -> ParityError:
    """Say which output differs most, by how much, what was allowed, and at which layer it begins."""
    if not parity.outputs:
        return ParityError(f"the {form.title} file was not compared", reason="; ".join(parity.notes))
    worst, reason = parity.worst, describe(parity)
    if worst.ok:
        reason = f"the largest output stands at another place in {1 - (parity.top1 or 0):.2%} of the rows of your data"
    return ParityError(
        f"the {form.title} file computes something else than Keras",
        where=(f"from layer {first.name!r} ({first.kind}) on; " if first else "")
        + f"output {worst.output!r}, {worst.case}",
        reason=reason,
        remedy=remedy,
    )


def dry_run(form: Format, inference: Inference, source: Source, options: Options) -> Iterator[Problem]:
    """Convert into a temporary folder; yield what stands in the way."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / form.filename
        try:
            form.write(inference, path, options, source.metadata)
            form.open(path)
        except ExporterError as error:
            for each in (error, *getattr(error, "others", ())):
                yield Problem(each.where or form.title, each.reason or each.what, each.remedy, (form.name,))
