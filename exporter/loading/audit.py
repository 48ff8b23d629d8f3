"""One audit per kind of model file: what was looked at, and every reason to refuse. Nothing is built here."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from exporter.loading import archive as container
from exporter.loading import limits
from exporter.loading.config import ConfigAudit
from exporter.loading.custom import known_names
from exporter.loading.finding import Finding
from exporter.loading.hdf5 import audit_hdf5_source, open_hdf5
from exporter.loading.recognize import Kind

_CONFIG_RULES = "serialized objects against the allow-list"
_MODEL, _TRAINING = "model_config", "training_config"  # attributes of a legacy file
_HDF5_RULES = "HDF5 links, storage, types and shapes"


@dataclass
class Audit:
    """What was checked in a file, and what was found; true when nothing was.

    Args:
        checked: the rules that were applied, for the report. A claim about these, not that the file is harmless.
        findings: the reasons to refuse the file.
        weight_bytes: the size of all stored arrays in memory, in bytes.
    """

    checked: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    weight_bytes: int = 0

    def __bool__(self) -> bool:
        return not self.findings


def audit(path: Path, kind: Kind, custom_objects: Mapping[str, Any] | None = None) -> Audit:
    """Audit a model file as data.

    Args:
        path: the file or folder.
        kind: as `recognize` told.
        custom_objects: classes and functions that the user names beyond the registered ones.
    """
    run = {Kind.ARCHIVE: _audit_archive, Kind.FOLDER: _audit_folder, Kind.HDF5: _audit_legacy}[kind]
    return run(path, custom_objects)


def _audit_archive(path: Path, custom_objects: Mapping[str, Any] | None) -> Audit:
    result = Audit(["archive member names, links, sizes and ratios"])
    try:
        with zipfile.ZipFile(path) as archive:
            result.findings += container.audit_archive(archive, path.stat().st_size)
            if result:
                _audit_members(archive, result, custom_objects)
    except Exception as error:  # BadZipFile, and what zlib or a wrong offset raises on garbage
        result.findings.append(container.damaged("", error))
    return result


def _audit_members(archive: zipfile.ZipFile, result: Audit, custom_objects: Mapping[str, Any] | None) -> None:
    result.checked.append("checksums of all members")
    result.findings += container.check_content(archive)
    if not result:
        return
    text = container.read_member(archive, container.CONFIG, limits.CONFIG_BYTES)
    _audit_config(text, result, custom_objects)
    with tempfile.TemporaryFile() as copy, archive.open(container.WEIGHTS) as member:
        shutil.copyfileobj(member, copy)
        _audit_weights(copy, copy.tell(), result)


def _audit_folder(path: Path, custom_objects: Mapping[str, Any] | None) -> Audit:
    result = Audit(["links and sizes in the folder"], container.audit_folder(path))
    if result:
        _audit_config((path / container.CONFIG).read_bytes(), result, custom_objects)
        weights = path / container.WEIGHTS
        _audit_weights(weights, weights.stat().st_size, result)
    return result


def _audit_config(text: bytes, result: Audit, custom_objects: Mapping[str, Any] | None) -> None:
    result.checked.append(_CONFIG_RULES)
    document, findings = container.parse_json(text, container.CONFIG)
    result.findings += findings
    if not findings:
        custom = known_names(custom_objects, hub=b"keras_hub" in text)
        result.findings += ConfigAudit(custom).model_findings(document)


def _audit_weights(source: Path | IO[bytes], size: int, result: Audit, name: str = container.WEIGHTS) -> None:
    result.checked.append(_HDF5_RULES)
    weights = audit_hdf5_source(source, size, name)
    result.findings += weights.findings
    result.weight_bytes = weights.declared_bytes


def _audit_legacy(path: Path, custom_objects: Mapping[str, Any] | None) -> Audit:
    result = Audit()
    _audit_weights(path, path.stat().st_size, result, path.name)
    if not result:
        return result
    result.checked.append(_CONFIG_RULES)
    file, result.findings = open_hdf5(path, path.name)
    if file is None:
        return result
    with file:
        _audit_legacy_configs(file, result, custom_objects)
    return result


def _audit_legacy_configs(file: Any, result: Audit, custom_objects: Mapping[str, Any] | None) -> None:
    if _MODEL not in file.attrs:
        result.findings.append(
            Finding(
                "the file holds weights only, no model_config",
                remedy="save the whole model: model.save('model.keras')",
                unsafe=False,
            )
        )
    for name in (_MODEL, _TRAINING):
        if name not in file.attrs:
            continue
        text = file.attrs[name]
        if not isinstance(text, str | bytes):
            result.findings.append(Finding(f"{name} is a {type(text).__name__}, not text", name))
            continue
        document, findings = container.parse_json(text, name)
        result.findings += findings
        if not findings:
            rules = ConfigAudit(known_names(custom_objects), legacy=True, origin=name)
            result.findings += rules.findings(document) if name == _TRAINING else rules.model_findings(document)
