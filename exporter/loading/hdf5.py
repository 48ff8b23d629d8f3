"""Audit of an HDF5 file as data: the weights inside a `.keras` archive, or a whole legacy `.h5` model.

HDF5 is more than arrays: links into other files, datasets whose bytes lie in another file, virtual datasets
stitched together from others, compression plug-ins, and shapes that declare petabytes in a hundred bytes.
A model needs none of that. Only metadata is read here, never the arrays; links are never followed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exporter.loading import limits
from exporter.loading.finding import Finding

_RESAVE = "save the weights again with Keras: it writes plain datasets"
_EXTERNAL = "CVE-2026-1669"
_BOMB = "CVE-2026-0897"


@dataclass
class _Walk:
    """Running totals of one audit."""

    file_bytes: int
    seen: set[Any] = field(default_factory=set)
    stored: int = 0
    declared: int = 0


@dataclass(frozen=True)
class Hdf5Audit:
    """What the audit of one HDF5 file gave.

    Args:
        findings: the reasons to refuse it.
        declared_bytes: the size of all its arrays in memory, in bytes.
    """

    findings: list[Finding]
    declared_bytes: int


def audit_hdf5(file: Any, file_bytes: int, where: str) -> Hdf5Audit:
    """Everything in an open HDF5 file that a model file does not need.

    Args:
        file: an `h5py.File`, opened for reading.
        file_bytes: size of the file, in bytes.
        where: how messages call the file.
    """
    walk = _Walk(file_bytes)
    findings = []
    for finding in _audit_group(file, where, walk):
        findings.append(finding)
        if len(findings) > 1000:
            break
    if walk.stored > file_bytes:
        findings.append(Finding("datasets overlap: together they are longer than the file", where, cve=_BOMB))
    return Hdf5Audit(findings, walk.declared)


def _audit_group(root: Any, where: str, walk: _Walk) -> Iterator[Finding]:
    """Walk all groups, breadth first, over hard links only."""
    import h5py

    pending = [(root, where)]
    while pending:
        group, place = pending.pop()
        yield from _audit_attributes(group, place)
        for name in group:
            here = f"{place}/{name}"
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                yield Finding(f"the entry is a {type(link).__name__}", here, remedy=_RESAVE, cve=_EXTERNAL)
                continue
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in walk.seen:
                yield Finding("a second name for an object listed before", here, remedy=_RESAVE)
                continue
            walk.seen.add(address)
            if len(walk.seen) > limits.HDF5_OBJECTS:
                yield Finding(f"more than {limits.HDF5_OBJECTS} objects", where)
                return
            if isinstance(item, h5py.Group):
                pending.append((item, here))
            elif isinstance(item, h5py.Dataset):
                yield from _audit_dataset(item, here, walk)
            else:
                yield Finding(f"neither a group nor a dataset: {type(item).__name__}", here, remedy=_RESAVE)


def _audit_attributes(item: Any, where: str) -> Iterator[Finding]:
    for name in item.attrs:
        attribute = item.attrs.get_id(name)
        size = math.prod(attribute.shape) * attribute.get_type().get_size()
        if size > limits.HDF5_ATTRIBUTE_BYTES:
            yield Finding(
                f"attribute {name!r} has {size} bytes, allowed are {limits.HDF5_ATTRIBUTE_BYTES}", where, cve=_BOMB
            )


def _audit_dataset(dataset: Any, where: str, walk: _Walk) -> Iterator[Finding]:
    yield from _audit_attributes(dataset, where)
    layout = dataset.id.get_create_plist()
    if layout.get_external_count():
        yield Finding("the bytes of the dataset lie in another file", where, remedy=_RESAVE, cve=_EXTERNAL)
        return
    if dataset.is_virtual:
        yield Finding("a virtual dataset, stitched together from others", where, remedy=_RESAVE, cve=_EXTERNAL)
        return
    yield from _audit_filters(layout, where)
    yield from _audit_type(dataset.id.get_type(), where)
    yield from _audit_shape(dataset, where, walk)


def _audit_filters(layout: Any, where: str) -> Iterator[Finding]:
    """Any other filter is a plug-in: a shared library that HDF5 loads from the disk."""
    from h5py import h5z

    known = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF}
    for index in range(layout.get_nfilters()):
        code = layout.get_filter(index)[0]
        if code not in known:
            yield Finding(f"compression filter {code} is not one of gzip, shuffle, fletcher32, lzf", where)


def _audit_type(kind: Any, where: str) -> Iterator[Finding]:
    """Numbers, booleans, bfloat16 (opaque, two bytes) and strings; nothing that points elsewhere."""
    from h5py import h5t

    allowed = {h5t.INTEGER: 8, h5t.FLOAT: 8, h5t.ENUM: 8, h5t.OPAQUE: 2, h5t.STRING: limits.MIB, h5t.COMPOUND: 16}
    if kind.get_class() not in allowed or kind.get_size() > allowed[kind.get_class()]:
        yield Finding("the element type is not one that Keras stores", where, remedy=_RESAVE)


def _audit_shape(dataset: Any, where: str, walk: _Walk) -> Iterator[Finding]:
    if dataset.shape is None:
        return  # a null dataspace holds nothing
    declared = math.prod(dataset.shape) * dataset.id.get_type().get_size()
    stored = dataset.id.get_storage_size()
    walk.declared += declared
    walk.stored += stored
    if len(dataset.shape) > limits.HDF5_RANK:
        yield Finding(f"{len(dataset.shape)} dimensions, allowed are {limits.HDF5_RANK}", where)
    allowed = max(limits.EXPANSION_FLOOR, limits.EXPANSION * min(stored, walk.file_bytes))
    if declared > allowed:
        yield Finding(
            f"shape {dataset.shape} declares {declared} bytes, {stored} are stored (a shape bomb)", where, cve=_BOMB
        )
    if dataset.chunks and math.prod(dataset.chunks) * dataset.id.get_type().get_size() > limits.HDF5_CHUNK_BYTES:
        yield Finding(f"chunks of shape {dataset.chunks} are too large", where, cve=_BOMB)


def open_hdf5(source: Any, where: str) -> tuple[Any, list[Finding]]:
    """Open for reading; a damaged file is a finding.

    Args:
        source: a path or a binary file object.
        where: how messages call the file.

    Returns:
        the `h5py.File` (None when it does not open) and the findings.
    """
    import h5py

    try:
        return h5py.File(source, "r"), []
    except Exception as error:  # OSError mostly; garbage makes h5py raise RuntimeError, KeyError and others
        return None, [_damaged(where, error)]


def _damaged(where: str, error: Exception) -> Finding:
    return Finding(
        f"damaged or cut short: {error}", where, remedy="get the file again: it was changed on its way", unsafe=False
    )


def audit_hdf5_source(source: Path | Any, file_bytes: int, where: str) -> Hdf5Audit:
    """Open, audit, close. Every failure of the HDF5 library is a finding."""
    file, findings = open_hdf5(source, where)
    if file is None:
        return Hdf5Audit(findings, 0)
    with file:
        try:
            return audit_hdf5(file, file_bytes, where)
        except Exception as error:  # as above: the library meets garbage somewhere inside
            return Hdf5Audit([_damaged(where, error)], 0)
