"""The frozen dataclasses that travel: what to export, what came out, how it compared with Keras."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from exporter.errors import ExporterError, ParityError, UnsupportedError

Batch = int | Literal["dynamic"]
Severity = Literal["error", "warning", "info"]

FORMATS = ("saved_model", "tflite", "onnx")  # what is written when nobody says otherwise
SCHEMA_VERSION = 1  # of report.json; raised when a key is renamed, removed or changes its meaning


@dataclass(frozen=True)
class TensorInfo:
    """One input or output: its Keras name, its shape (None where a dimension is dynamic) and its dtype ("float32")."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[{', '.join('?' if d is None else str(d) for d in self.shape)}]"


@dataclass(frozen=True)
class Options:
    """What the user asked for, checked once by `exporter.pipeline.options` and then only read."""

    formats: tuple[str, ...] = FORMATS
    batch: Batch = "dynamic"
    tflite_batch: Batch = 1
    opset: int | None = None
    quantize: str | None = None
    verify: bool = True
    allow_flex: bool = False

    def batch_of(self, format_name: str) -> Batch:
        """Return the batch size that files of `format_name` are written for."""
        return self.tflite_batch if format_name in ("tflite", "micro") else self.batch


@dataclass(frozen=True)
class Problem:
    """One reason why a model will not export, reload or compute the same, and how to fix it.

    Args:
        where: the layer, file or argument at fault.
        reason: what is wrong, received against allowed.
        remedy: what to change, if possible as code.
        formats: the formats it concerns; empty means all of them.
        severity: an "error" stops the export, a "warning" is reported, an "info" tells how something was kept.
    """

    where: str
    reason: str
    remedy: str = ""
    formats: tuple[str, ...] = ()
    severity: Severity = "error"


@dataclass(frozen=True)
class OutputParity:
    """How one output compared with Keras in one case (one batch of samples).

    Args:
        output: name of the output.
        case: name of the samples ("normal, batch 3").
        error: max |artifact - reference|; infinite where NaN, Inf, shape or dtype do not match.
        tolerance: the largest error that passes.
        scale: max |reference|.
        keras_error: max |Keras in float32 - reference|, Keras's own rounding.
        note: what did not match, when the error is infinite; else remarks.
        elements: how many were compared.
        beyond: how many of them are beyond the tolerance.
        undetermined: how many of them float32 itself does not determine; they may go as far as rounding takes them.
    """

    output: str
    case: str
    error: float
    tolerance: float
    scale: float
    keras_error: float
    note: str = ""
    elements: int = 0
    beyond: int = 0
    undetermined: int = 0

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance (a NaN error is not)."""
        return self.error <= self.tolerance

    @property
    def ratio(self) -> float:
        """The error as a fraction of the tolerance: 1 is the limit."""
        if self.error == 0:
            return 0.0
        return self.error / self.tolerance if self.tolerance > 0 else float("inf")


@dataclass(frozen=True)
class Parity:
    """How one artifact compared with Keras, over all outputs and cases.

    Args:
        outputs: one entry per output and case.
        reference: "float64" (the same graph and weights in double precision) or "float32" (Keras itself).
        top1: share of rows whose largest output stands at the same place, on real data; None without real data.
        rows: number of rows of samples that were compared.
        notes: what could not be compared, and why.
    """

    outputs: tuple[OutputParity, ...]
    reference: str
    top1: float | None = None
    rows: int = 0
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether something was compared, every output passed, and the top-1 agreement is complete."""
        return bool(self.outputs) and all(o.ok for o in self.outputs) and self.top1 in (None, 1.0)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def undetermined(self) -> int:
        """How many elements float32 itself does not determine, over all outputs and cases."""
        return sum(o.undetermined for o in self.outputs)

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if not self.ok:
            return "differs"
        return f"verified, {self.undetermined:,} elements undetermined" if self.undetermined else "verified"

    @property
    def worst(self) -> OutputParity:
        """The output and case that came nearest to, or went furthest beyond, its tolerance."""
        return max(self.outputs, key=lambda o: (not o.ok, o.ratio))


@dataclass(frozen=True)
class LayerParity:
    """How what one call of a layer gives compared with Keras, over all samples.

    Args:
        name: of the call: "encoder/attention/query", "block@2" for the second call of `block`.
        kind: the layer's class.
        chain: the worst comparison in the file as it is: errors of earlier layers are in it.
        alone: the same with the layer's nodes fed with what Keras gives the layer; None unless it is the first that
            differs, or where they cannot be run alone.
    """

    name: str
    kind: str
    chain: OutputParity
    alone: OutputParity | None = None

    @property
    def ok(self) -> bool:
        """Whether the layer gives what Keras gives."""
        return self.chain.ok


@dataclass(frozen=True)
class Location:
    """Where a file begins to compute something else than Keras; true when it nowhere does.

    Args:
        path: the file.
        layers: the calls that the file tells about, in the order in which they end.
        parity: of the whole file.
        problems: what there is to say of the model's own file.
    """

    path: Path
    layers: tuple[LayerParity, ...]
    parity: Parity
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the outputs are those of Keras."""
        return self.parity.ok

    def __bool__(self) -> bool:
        return self.ok

    @property
    def first(self) -> LayerParity | None:
        """The first call that differs; None if none does. An outer layer comes after those inside it."""
        return next((layer for layer in self.layers if not layer.ok), None)


@dataclass(frozen=True)
class Inspection:
    """What a file says of itself, read without Keras.

    Args:
        format: "onnx", "ort", "tflite", "saved_model" or "micro".
        inputs: names, shapes and dtypes, in the file's order.
        outputs: likewise.
        ops: how often each op occurs ("Conv": 3).
        size: bytes of all files of the artifact.
        facts: what only this format has ("opset": 18, "transposes": 1, "minimum_runtime": "onnxruntime 1.14").
        metadata: the exporter's own JSON in the file: version, source hash, layer map; empty for foreign files.
    """

    format: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    ops: Mapping[str, int]
    size: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Artifact:
    """One format's outcome: the file, what it holds, how it compared; or the error that stopped it."""

    format: str
    path: Path | None = None
    seconds: float = 0.0
    inspection: Inspection | None = None
    parity: Parity | None = None
    error: ExporterError | None = None

    @property
    def ok(self) -> bool:
        """Whether the file was written, loads, and (if it was compared) computes what Keras computes."""
        return self.error is None and self.path is not None and (self.parity is None or self.parity.ok)

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True)
class Report:
    """The outcome of an export or a verification; true when all of it passed.

    Args:
        model: name of the Keras model.
        directory: where the artifacts lie (or would have lain, when it failed).
        artifacts: one per format, in the order asked for.
        problems: what the checks found.
        source: facts about the model ("parameters", "sha256" of its file or weights, "inputs", "outputs").
        versions: of the exporter and of the libraries used.
        data: where the samples came from and how many rows.
    """

    model: str
    directory: Path
    artifacts: tuple[Artifact, ...]
    problems: tuple[Problem, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every artifact is ok and no check found an error."""
        return bool(self.artifacts) and all(a.ok for a in self.artifacts) and not self.errors

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop an export."""
        return tuple(p for p in self.problems if p.severity == "error")

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, format_name: str) -> Artifact:
        for artifact in self.artifacts:
            if artifact.format == format_name:
                return artifact
        raise KeyError(
            f"no format {format_name!r} in this report; it has: {', '.join(a.format for a in self.artifacts)}"
        )

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self.artifacts)

    @property
    def failure(self) -> ExporterError | None:
        """The error to raise or to exit with: the first that stopped a format; None when all is well."""
        for artifact in self.artifacts:
            if artifact.error is not None:
                return artifact.error
            if artifact.parity is not None and not artifact.parity.ok:
                return ParityError(f"the {artifact.format} file computes something else than Keras")
        if self.errors:
            first = self.errors[0]
            return UnsupportedError(
                "the model cannot be exported", where=first.where, reason=first.reason, remedy=first.remedy
            )
        return None

    def raise_for_status(self) -> None:
        """Raise the error that stopped the export; do nothing when it succeeded.

        Raises:
            ExporterError: the subclass that fits (see `exporter.errors`).
        """
        if (failure := self.failure) is not None:
            raise failure

    def to_dict(self) -> dict[str, Any]:
        """Return what report.json holds, as plain Python data."""
        from exporter.report.document import to_dict

        return to_dict(self)

    def to_json(self) -> str:
        """Return the text of report.json."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


__all__ = [
    "FORMATS",
    "SCHEMA_VERSION",
    "Artifact",
    "Batch",
    "Inspection",
    "LayerParity",
    "Location",
    "Options",
    "OutputParity",
    "Parity",
    "Problem",
    "Report",
    "Severity",
    "TensorInfo",
]
