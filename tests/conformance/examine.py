"""Export one case to one format and say how it went: right, refused with reasons, or wrong in some way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import UnsupportedError
from exporter.spec import Options
from exporter.verification.batches import fixed_batch
from exporter.verification.floats import stands_for
from exporter.verification.reference import Reference
from exporter.verification.samples import Sample
from exporter.verification.verify import verify_artifact
from tests.conformance.cases.case import Case

SIZES = (1, 3)  # rows of the samples, for a dynamic batch
DYNAMIC = (6, 8)  # sizes of the other dynamic dimensions


@dataclass(frozen=True)
class Outcome:
    """How one case went in one format.

    Args:
        case: its name.
        format: "onnx", "tflite" or "saved_model".
        status: "right" (loads and computes what Keras computes), "refused" (layer and remedy named), "wrong"
            (other numbers), "failed" (another error, or the runtime refuses the file), "unverified" (the file loads, and
            Keras itself cannot run the model on this machine).
        detail: the refusal, the error, or the worst output.
        ops: how often each op occurs in the file.
        seconds: for conversion and comparison.
    """

    case: str
    format: str
    status: str
    detail: str = ""
    ops: dict[str, int] | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the file is right, or was refused as it should be."""
        return self.status in ("right", "refused", "unverified")


def examine(case: Case, format_name: str, folder: Path, *, dynamic: bool = False) -> Outcome:
    """Export `case` into `folder` and compare it with Keras.

    Args:
        case: the model and its inputs.
        format_name: of `exporter.formats`.
        folder: where the file is written.
        dynamic: whether the batch is dynamic in TFLite too.
    """
    start = time.perf_counter()
    chosen = formats.get(format_name)
    inference = Inference(case.build())
    batch = case.batch or "dynamic"
    options = Options(batch=batch, tflite_batch=batch if dynamic or case.batch else 1)
    path = folder / chosen.filename
    try:
        chosen.write(inference, path, options, {})
        ops = dict(chosen.inspect(path).ops)
        status, detail = _compared(case, inference, chosen.open(path))
    except UnsupportedError as error:
        named = error.where and error.reason and error.remedy
        return Outcome(case.name, format_name, "refused" if named else "failed", str(error))
    except Exception as error:  # any other error is what this looks for
        return Outcome(case.name, format_name, "failed", f"{type(error).__name__}: {error}")
    return Outcome(case.name, format_name, status, detail, ops, time.perf_counter() - start)


def _compared(case: Case, inference: Inference, runner: formats.Runner) -> tuple[str, str]:
    """Return the status and, unless all is right, the output that is worst."""
    reference = Reference(inference)
    for found, wanted in ((runner.inputs, reference.inputs), (runner.outputs, reference.outputs)):
        alike = [f.name == w.name and stands_for(f.dtype, w.dtype) for f, w in zip(found, wanted, strict=False)]
        if len(found) != len(wanted) or not all(alike):
            return "wrong", f"interface: {', '.join(map(str, found))} for {', '.join(map(str, wanted))}"
    try:
        parity = verify_artifact(runner, reference, _samples(case, inference, runner))
    except tf.errors.OpError as error:
        return "unverified", f"Keras cannot run it here: {str(error).splitlines()[0]}"
    if parity.ok:
        return "right", ""
    if not parity.outputs:
        return "wrong", f"nothing compared: {'; '.join(parity.notes)}"
    worst = parity.worst
    return "wrong", f"{worst.output}, {worst.case}: {worst.error:.3g} > {worst.tolerance:.3g} {worst.note}"


def _samples(case: Case, inference: Inference, runner: formats.Runner) -> list[Sample]:
    """Return two samples, of the file's batch if it has one: what a function does with a row may depend on the others."""
    names = [i.name for i in inference.inputs]
    fixed = case.batch or fixed_batch(runner.inputs)
    sizes = (fixed, fixed) if fixed else SIZES
    return [
        Sample(f"sample {seed}, batch {n}", case.samples(names, n, seed, dynamic))
        for seed, (n, dynamic) in enumerate(zip(sizes, DYNAMIC, strict=True))
    ]
