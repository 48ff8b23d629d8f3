"""report.json: a report as plain data and back.

The form is described by `schema.json` beside this file, as JSON Schema 2020-12. It is strict JSON: NaN and the
infinities are written as the strings "NaN", "Infinity" and "-Infinity". Paths of artifacts are relative to the report's
folder, so that the folder can be moved.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from exporter import errors
from exporter.run.failures import reason_of
from exporter.spec import (
    SCHEMA_VERSION,
    Artifact,
    Inspection,
    LayerParity,
    Location,
    OutputParity,
    Parity,
    Problem,
    Report,
    TensorInfo,
)

GENERATOR = "keras-exporter"

_Dataclass = TypeVar("_Dataclass")


def to_dict(report: Report) -> dict[str, Any]:
    """Return what report.json holds: dicts, lists, strings, finite numbers, booleans and None."""
    return {
        "generator": GENERATOR,
        "schema_version": SCHEMA_VERSION,
        "ok": report.ok,
        "model": report.model,
        "directory": report.directory.as_posix(),
        "source": plain(report.source),
        "data": plain(report.data),
        "versions": plain(report.versions),
        "artifacts": [_artifact_to_dict(a, report.directory) for a in report.artifacts],
        "problems": plain(report.problems),
    }


def from_dict(document: Mapping[str, Any], directory: Path | None = None) -> Report:
    """Return the report that `to_dict` wrote.

    Args:
        document: the parsed report.json.
        directory: where the artifacts lie now; None: where the document says.

    Raises:
        UsageError: if it is not a report, or one of another schema version.
    """
    if not _is_document(document):
        raise errors.UsageError("not a report of this exporter", remedy="name a folder that an export has written")
    if document["schema_version"] != SCHEMA_VERSION:
        raise errors.UsageError(
            "the report has another version",
            reason=f"its schema_version is {document['schema_version']}, this exporter reads {SCHEMA_VERSION}",
            remedy="export the model again, or use the version of the exporter that wrote it",
        )
    directory = directory or Path(document["directory"])
    try:
        return Report(
            model=document["model"],
            directory=directory,
            artifacts=tuple(_artifact_from_dict(a, directory) for a in document["artifacts"]),
            problems=tuple(_build(Problem, p, formats=tuple(p["formats"])) for p in document["problems"]),
            source=document["source"],
            versions=document["versions"],
            data=document["data"],
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise errors.UsageError(
            "the report is damaged", reason=f"{type(error).__name__}: {error}", remedy="export the model again"
        ) from error


def read_report(directory: Path) -> Report:
    """Return the report of the artifacts that lie in `directory`.

    Raises:
        UsageError: if there is no report.json, or it is not one of ours.
    """
    path = directory / "report.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise errors.UsageError(
            "the folder holds no readable report.json",
            where=str(directory),
            reason=reason_of(error),
            remedy="name a folder that an export has written",
        ) from error
    return from_dict(document, directory)


def is_report(path: Path) -> bool:
    """Whether `path` is a report.json that this package wrote, of any schema version."""
    try:
        return _is_document(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return False


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json; under "$defs" also those of what the commands print with --json."""
    text: str = Path(__file__).with_name("schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def location_to_dict(location: Location) -> dict[str, Any]:
    """Return what `kx locate --json` prints."""
    first = location.first
    return {
        "ok": location.ok,
        "path": location.path.as_posix(),
        "first": None if first is None else _layer_to_dict(first),
        "layers": [_layer_to_dict(layer) for layer in location.layers],
        "parity": _parity_to_dict(location.parity),
        "problems": plain(location.problems),
    }


def error_to_dict(error: errors.ExporterError) -> dict[str, Any]:
    """Return an error as plain data: its type and exit code, what failed, where, why and what to do."""
    return {
        "type": type(error).__name__,
        "exit_code": error.exit_code,
        "what": error.what,
        "where": error.where,
        "reason": error.reason,
        "remedy": error.remedy,
    }


def plain(value: Any) -> Any:
    """Return `value` as strict JSON data.

    Dataclasses become dicts, tuples lists, paths and whatever else JSON does not know strings.
    """
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else _NONFINITE[str(value)]
    if is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


_NONFINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _is_document(document: Any) -> bool:
    return isinstance(document, dict) and document.get("generator") == GENERATOR and "schema_version" in document


def _artifact_to_dict(artifact: Artifact, directory: Path) -> dict[str, Any]:
    return {
        "format": artifact.format,
        "ok": artifact.ok,
        "path": _relative(artifact.path, directory),
        "seconds": plain(artifact.seconds),
        "inspection": plain(artifact.inspection),
        "parity": _parity_to_dict(artifact.parity),
        "error": error_to_dict(artifact.error) if artifact.error else None,
    }


def _artifact_from_dict(document: Mapping[str, Any], directory: Path) -> Artifact:
    return Artifact(
        format=document["format"],
        path=directory / document["path"] if document["path"] is not None else None,
        seconds=float(document["seconds"]),
        inspection=_inspection_from_dict(document["inspection"]),
        parity=_parity_from_dict(document["parity"]),
        error=_error_from_dict(document["error"]),
    )


def _parity_to_dict(parity: Parity | None) -> dict[str, Any] | None:
    if parity is None:
        return None
    return {**plain(parity), "ok": parity.ok, "outputs": [_output_to_dict(o) for o in parity.outputs]}


def _output_to_dict(output: OutputParity) -> dict[str, Any]:
    return {**plain(output), "ok": output.ok}


def _layer_to_dict(layer: LayerParity) -> dict[str, Any]:
    alone = None if layer.alone is None else _output_to_dict(layer.alone)
    return {
        "ok": layer.ok,
        "name": layer.name,
        "kind": layer.kind,
        "chain": _output_to_dict(layer.chain),
        "alone": alone,
    }


def _parity_from_dict(document: Mapping[str, Any] | None) -> Parity | None:
    if document is None:
        return None
    numbers = ("error", "tolerance", "scale", "keras_error")
    outputs = (_build(OutputParity, o, **{n: float(o[n]) for n in numbers}) for o in document["outputs"])
    return _build(Parity, document, outputs=tuple(outputs), notes=tuple(document["notes"]))


def _inspection_from_dict(document: Mapping[str, Any] | None) -> Inspection | None:
    if document is None:
        return None
    return _build(
        Inspection,
        document,
        inputs=tuple(_build(TensorInfo, i, shape=tuple(i["shape"])) for i in document["inputs"]),
        outputs=tuple(_build(TensorInfo, o, shape=tuple(o["shape"])) for o in document["outputs"]),
    )


def _error_from_dict(document: Mapping[str, Any] | None) -> errors.ExporterError | None:
    if document is None:
        return None
    found = getattr(errors, document["type"], None)
    cls = found if isinstance(found, type) and issubclass(found, errors.ExporterError) else errors.ExporterError
    error: errors.ExporterError = cls(
        document["what"], where=document["where"], reason=document["reason"], remedy=document["remedy"]
    )
    return error


def _build(cls: type[_Dataclass], document: Mapping[str, Any], **replaced: Any) -> _Dataclass:
    """Build a dataclass from the keys of `document` that it has; `replaced` are those that JSON wrote differently."""
    known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    return cls(**{key: value for key, value in document.items() if key in known} | replaced)


def _relative(path: Path | None, directory: Path) -> str | None:
    if path is None:
        return None
    return path.relative_to(directory).as_posix() if path.is_relative_to(directory) else path.as_posix()


__all__ = ["error_to_dict", "from_dict", "is_report", "location_to_dict", "plain", "read_report", "schema", "to_dict"]
