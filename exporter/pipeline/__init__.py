"""The whole way of the data, on one screen: load -> capture -> check -> lower + convert -> verify -> report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from exporter import checks
from exporter import formats as known_formats
from exporter.capture.inference import Inference
from exporter.capture.source import open_source, versions
from exporter.checks.trust import trust_warnings
from exporter.pipeline.artifacts import Job, dry_run, open_layer_probes, verify_again, write_and_verify
from exporter.pipeline.labels import checked_labels
from exporter.pipeline.options import checked_options, checked_tolerance
from exporter.report import clear_failed, read_report, write_failed, write_report
from exporter.run.progress import Progress, Silent
from exporter.run.quiet import quiet
from exporter.run.staging import staged
from exporter.spec import FORMATS, Batch, Location, Problem, Report
from exporter.verification.locate import compare_layers
from exporter.verification.model_verification import ModelVerification

SAMPLES = "samples"  # the folder of golden inputs and outputs beside the artifacts


def export(  # noqa: PLR0913 - the interface of the package
    model: Any,
    output: str | Path,
    formats: Sequence[str] = FORMATS,
    *,
    input_signature: Any = None,
    batch: Batch = "dynamic",
    tflite_batch: Batch = 1,
    opset: int | None = None,
    quantize: str | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    verify: bool = True,
    samples: Any = None,
    labels: Sequence[str] | None = None,
    allow_flex: bool = False,
    trust: bool = False,
    tolerance: float | None = None,
    keep_verified: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Export a model to files that are verified to compute what Keras computes.

    Args:
        model: a built keras.Model, or a path to a .keras or .h5 file or to a SavedModel of a Keras model.
        output: the folder to write; it is replaced as a whole when everything passed, else left as it was, and the report
            stands beside it.
        formats: any of "saved_model", "tflite", "onnx", "ort" (ONNX Runtime's own file for devices), "micro" (C++ sources
            for microcontrollers).
        input_signature: what `model.export` takes; or by the names of inputs, sizes of dynamic dimensions without the batch,
            {"image": (224, 224, 3)}, or shapes and dtypes with it, {"ids": TensorInfo("ids", (None, 128), "int32")}, of
            `exporter.spec`; None: from the model, and the dtypes of a subclassed model from `samples`.
        batch: batch size of ONNX and SavedModel files, "dynamic" or an int.
        tflite_batch: batch size of TFLite files, "dynamic" or an int.
        opset: ONNX opset; None: the lowest that holds the best form of every layer.
        quantize: None; recipes come with a later version.
        custom_objects: classes and functions that the file needs, by name.
        verify: whether to run each file and compare it with Keras.
        samples: your own data to compare on, beside the generated samples: an array, or arrays by input name.
        labels: names of the classes that an output scores, in their order; every file keeps them in its metadata, and a TFLite
            file also as labels.txt in an archive behind the model.
        allow_flex: where TFLite has no builtin op, keep TensorFlow's own in the file: it then needs the Flex delegate, tens of
            megabytes on the device, and cannot be verified where that is missing.
        trust: load files that may hold code. Only for files that you made.
        tolerance: the largest difference that you accept, relative to the scale of each output, in place of what rounding
            explains; the report says so. Integers, booleans, strings, NaN and infinities stay exact.
        keep_verified: write the formats that were verified even if another one failed.
        progress: told what is being done; None: silence.

    Returns:
        The report: `report.ok` tells whether all went well, `report.raise_for_status()` raises if not.

    Raises:
        UsageError: an argument is wrong.
        LoadError: the model file does not load.
        MissingRuntimeError: a package for one of the formats is not installed.
        OutputError: the folder cannot be written.
    """
    options = checked_options(formats, batch, tflite_batch, opset, quantize, verify, allow_flex)
    stated = checked_tolerance(tolerance)
    chosen = [known_formats.get(name) for name in options.formats]
    progress = progress or Silent()
    with quiet(), staged(Path(output)) as stage:
        with progress("Loading the model"):
            source = open_source(model, custom_objects, trust=trust)
            inference = Inference(source.model, input_signature, samples)
        with progress("Checking the model"):
            problems = checks.find_problems(source, options, inference)
        report = Report(source.model.name, stage.output, (), problems, source.facts, versions())
        if report.errors:
            return write_failed(report)
        named = {} if labels is None else {"labels": checked_labels(labels, inference.outputs)}
        job = Job(inference, options, {**source.metadata, **named}, stage.path)
        with progress("Computing the reference"):
            job.verification = (
                ModelVerification.of_model(inference, options.batch, samples, stated=stated) if verify else None
            )
        report = replace(
            report, artifacts=tuple(write_and_verify(form, job, stage.output, progress) for form in chosen)
        )
        if job.verification:
            report = replace(report, data=job.verification.facts)
        with progress("Writing the report"):
            if not report.ok and not (keep_verified and any(report)):
                return write_failed(report)
            if job.verification:
                job.verification.save(stage.path / SAMPLES)
            write_report(report, stage.path)
        stage.commit()
        clear_failed(stage.output)
    return report


def check(
    model: Any,
    formats: Sequence[str] = FORMATS,
    *,
    input_signature: Any = None,
    custom_objects: Mapping[str, Any] | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> list[Problem]:
    """Find every reason why a model will not export, reload or compute the same, all at once.

    The formats are tried out in a temporary folder, so what is found here is what an export would meet.

    Args:
        model: as for `export`.
        formats: as for `export`.
        input_signature: as for `export`.
        custom_objects: as for `export`.
        trust: as for `export`.
        progress: as for `export`.

    Returns:
        Problems, errors first; empty when all is well.

    Raises:
        UsageError: an argument is wrong.
        LoadError: the model file does not load.
    """
    options = checked_options(formats, "dynamic", 1, None, None, verify=False)
    progress = progress or Silent()
    with quiet():
        with progress("Loading the model"):
            source = open_source(model, custom_objects, trust=trust)
        inference = Inference(source.model, input_signature)
        problems = list(checks.find_problems(source, options, inference, costly=True))
        for name in options.formats:
            with progress(f"Trying {name}"):
                found = dry_run(known_formats.get(name), inference, source, options)
                problems += [p for p in found if not any(_is_said(p, other) for other in problems)]
    return sorted(problems, key=lambda problem: problem.severity != "error")


def _is_said(problem: Problem, other: Problem) -> bool:
    """Whether a check has stopped every format at the layer that a format names: the check says why."""
    layer = other.where.removeprefix("layer ").strip("'")
    return other.severity == "error" and not other.formats and problem.where.startswith(layer)


def verify(
    directory: str | Path,
    model: Any = None,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Run the files of an earlier export again and compare them with the golden samples beside them.

    Args:
        directory: what `export` wrote.
        model: the Keras model or its file, to compare with Keras itself rather than with what was saved of it.
        custom_objects: as for `export`.
        trust: as for `export`.
        progress: as for `export`.

    Returns:
        A new report; the folder is not changed.

    Raises:
        UsageError: if the folder holds no export.
    """
    folder = Path(directory)
    before = read_report(folder)
    progress = progress or Silent()
    with quiet():
        problems = before.problems
        with progress("Computing the reference"):
            if model is None:
                verification = ModelVerification.of_folder(folder / SAMPLES)
            else:
                source = open_source(model, custom_objects, trust=trust)
                problems = tuple(dict.fromkeys((*problems, *trust_warnings(source))))
                verification = ModelVerification.of_model(Inference(source.model), "dynamic", anew=True)
        artifacts = tuple(verify_again(a, verification, progress) for a in before if a.path is not None)
    return replace(before, artifacts=artifacts, problems=problems, versions=versions(), data=verification.facts)


def locate(
    model: Any,
    file: str | Path,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    samples: Any = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> Location:
    """Find the first Keras layer that an ONNX file computes otherwise.

    Args:
        model: as for `export`.
        file: an ONNX file that `export` wrote of the model.
        custom_objects: as for `export`.
        samples: as for `export`.
        trust: as for `export`.
        progress: as for `export`.

    Returns:
        How each layer compared. `location.first` is the first that differs; it is None when none does.

    Raises:
        UsageError: if the file does not say which tensors belong to which layer, or is of another model.
        LoadError: the model file does not load.
        InvalidArtifactError: ONNX Runtime refuses the file.
    """
    path = Path(file)
    progress = progress or Silent()
    with quiet():
        with progress("Loading the model"):
            source = open_source(model, custom_objects, trust=trust)
            inference = Inference(source.model, samples=samples)
        form = known_formats.of_path(path)
        layer_probes = open_layer_probes(form, path)
        with progress("Computing the reference"):
            verification = ModelVerification.of_model(inference, "dynamic", samples, anew=True)
        with progress("Comparing the file"):
            parity = verification.check(form.open(path))
        with progress("Comparing layer by layer"):
            layers = compare_layers(inference, layer_probes, verification.most_informative(parity))
    return Location(path, layers, parity, tuple(trust_warnings(source)))
