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
from exporter.loading.budget import Budget
from exporter.loading.config import ConfigAudit
from exporter.loading.custom import KnownNames, known_names
from exporter.loading.finding import Finding, damaged
from exporter.loading.hdf5 import MODEL_CONFIG, TRAINING_CONFIG, Hdf5Audit, audit_hdf5
from exporter.loading.legacy.names import ALL_CLASS_NAMES, is_own_module
from exporter.loading.legacy.version import is_keras2, version_in_metadata
from exporter.loading.recognize import Kind


@dataclass
class Audit:
    """What was checked in a file, and what was found; true when nothing was.

    Args:
        custom_objects: what Keras is to find under names that are not its own: what the user passed, and the
            classes of every backend for those that exist under one backend only.
        checked: the rules that were applied, for the report. A claim about these, not that the file is harmless.
        findings: the reasons to refuse the file.
        arrays: how many arrays are stored.
        array_bytes: their size in memory, in bytes.
        version: of the Keras that wrote the file, as it says.
        documents: the configs that were audited, by name.
    """

    custom_objects: Mapping[str, Any] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    arrays: int = 0
    array_bytes: int = 0
    version: str | None = None
    documents: dict[str, Any] = field(default_factory=dict)

    @property
    def of_keras2(self) -> bool:
        """Whether the configs are those of Keras 2."""
        return is_keras2(self.version)

    @property
    def names(self) -> KnownNames:
        """What Keras finds under names that are not its own."""
        return KnownNames(self.custom_objects)

    def __bool__(self) -> bool:
        return not self.findings

    def budget(self, file: str) -> Budget:
        """What Keras may use to build a model of this file."""
        return Budget.for_weights(file, self.arrays, self.array_bytes)


def audit(path: Path, kind: Kind, custom_objects: Mapping[str, Any] | None = None) -> Audit:
    """Audit a model file as data.

    Args:
        path: the file or folder.
        kind: as `recognize` told.
        custom_objects: classes and functions that the user names beyond the registered ones.
    """
    result = Audit(dict(custom_objects or {}))
    run = {Kind.ARCHIVE: _audit_archive, Kind.FOLDER: _audit_folder, Kind.HDF5: _audit_legacy}[kind]
    try:
        run(path, result)
    except OSError as error:  # the file went away, or the disk is full
        result.findings.append(damaged(path.name, error))
    return result


def _audit_archive(path: Path, result: Audit) -> None:
    result.checked.append("archive member names, links, sizes and ratios")
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # BadZipFile, and what a damaged directory makes zipfile raise
        result.findings.append(damaged("the archive", error))
        return
    with archive:
        result.findings += container.audit_archive(archive, path.stat().st_size)
        if result:
            result.checked.append("checksums of all members")
            result.findings += container.check_content(archive)
        if result:
            metadata = container.METADATA in archive.namelist()
            result.version = version_in_metadata(archive.read(container.METADATA) if metadata else b"")
            _audit_config(archive.read(container.CONFIG), container.CONFIG, result)
            _audit_weights_member(path, archive, result)


def _audit_weights_member(path: Path, archive: zipfile.ZipFile, result: Audit) -> None:
    """Keras stores the weights uncompressed: they are examined in place; else from an unpacked copy."""
    member = archive.getinfo(container.WEIGHTS)
    if member.compress_type == zipfile.ZIP_STORED:
        with path.open("rb", buffering=0) as stream:
            _audit_hdf5(stream, container.data_offset(archive, member), member.file_size, container.WEIGHTS, result)
        return
    with tempfile.TemporaryFile() as copy, archive.open(member) as stream:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        _audit_hdf5(copy, 0, member.file_size, container.WEIGHTS, result)


def _audit_folder(path: Path, result: Audit) -> None:
    result.checked.append("links and sizes in the folder")
    result.findings += container.audit_folder(path)
    if result:
        metadata = path / container.METADATA
        result.version = version_in_metadata(metadata.read_bytes() if metadata.is_file() else b"")
        _audit_config((path / container.CONFIG).read_bytes(), container.CONFIG, result)
        weights = path / container.WEIGHTS
        with weights.open("rb", buffering=0) as stream:
            _audit_hdf5(stream, 0, weights.stat().st_size, container.WEIGHTS, result)


def _audit_legacy(path: Path, result: Audit) -> None:
    """A whole model in one HDF5 file: its configs are attributes of the root group."""
    with path.open("rb", buffering=0) as stream:
        weights = _audit_hdf5(stream, 0, path.stat().st_size, path.name, result)
    configs, result.version = weights.configs, weights.version
    if result and MODEL_CONFIG not in configs:
        remedy = "save the whole model: model.save('model.keras')"
        result.findings.append(Finding("weights only, without the model", remedy=remedy, unsafe=False))
    for name, text in configs.items():
        if text is None:
            result.findings.append(Finding("not a text", name))
        else:
            _audit_config(text, name, result, legacy=True)


def _audit_hdf5(stream: IO[bytes], start: int, size: int, name: str, result: Audit) -> Hdf5Audit:
    """Audit the HDF5 part and return what it has in it."""
    result.checked.append("HDF5 links, storage, types and shapes")
    weights = audit_hdf5(stream, start, size, name)
    result.findings += weights.findings
    result.arrays, result.array_bytes = weights.arrays, weights.array_bytes
    return weights


def _audit_config(text: bytes | str, name: str, result: Audit, legacy: bool = False) -> None:
    result.checked.append(f"serialized objects of {name} against the allow-list")
    document, findings = container.parse_json(text, name)
    result.findings += findings
    if not findings:
        names = known_names(result.custom_objects, text if isinstance(text, str) else text.decode(errors="replace"))
        result.custom_objects = names.custom_objects
        rules = ConfigAudit(names, legacy, name)
        if result.of_keras2:
            rules = ConfigAudit(names, True, name, is_own_module, ALL_CLASS_NAMES)
        result.documents[name] = document
        result.findings += rules.findings(document) if name == TRAINING_CONFIG else rules.model_findings(document)
