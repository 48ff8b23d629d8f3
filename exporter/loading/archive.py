"""Audit of the `.keras` container (a ZIP archive, or the same files in a folder) as data, before Keras opens it.

Keras writes `metadata.json`, `config.json`, `model.weights.h5` and, for layers with files of their own,
`assets/…`. Anything else, and every trick of the ZIP format, is refused: links, traversal, duplicates, encryption,
overlapping or bomb-like members.
"""

from __future__ import annotations

import json
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exporter.loading import limits
from exporter.loading.finding import Finding, damaged

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
ASSETS = "assets/"

_UNICODE_PATH = 0x7075  # the extra field by which newer readers, Python's since 3.12, call a member

_RESAVE = "save the model again with model.save('model.keras')"


def audit_archive(archive: zipfile.ZipFile, file_bytes: int) -> list[Finding]:
    """Everything wrong with the container: names, links, sizes, ratios, duplicates. Reads no member.

    Args:
        archive: the opened archive.
        file_bytes: size of the file on disk, in bytes.
    """
    members = archive.infolist()
    if len(members) > limits.ARCHIVE_MEMBERS:
        return [Finding(f"{len(members)} members, allowed are {limits.ARCHIVE_MEMBERS}")]
    findings = [finding for member in members for finding in _audit_member(member)]
    for name, count in Counter(member.filename for member in members).items():
        if count > 1:
            findings.append(Finding(f"{count} members have this name, readers may pick different ones", name))
    for name in (CONFIG, WEIGHTS):
        if name not in archive.namelist():
            findings.append(Finding(f"the archive has no {name}", remedy=_RESAVE, unsafe=False))
    if sum(member.compress_size for member in members) > file_bytes:
        findings.append(Finding("members overlap: together they are longer than the file"))
    return findings


def _audit_member(member: zipfile.ZipInfo) -> Iterator[Finding]:
    name, mode = member.orig_filename, member.external_attr >> 16
    if is_traversal(name):
        yield Finding("the member name leads out of the archive's folder", name)
    elif member.filename != name or _UNICODE_PATH in _extra_fields(member.extra):
        yield Finding("the member has a second name, under which other readers find it", name, remedy=_RESAVE)
    elif name not in (CONFIG, METADATA, WEIGHTS) and not name.startswith(ASSETS):
        yield Finding("no .keras archive has a member of this name", name, remedy=_RESAVE)
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield Finding("the member is a link or a device, not a file", name)
    if member.flag_bits & 0x1:
        yield Finding("the member is encrypted", name)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield Finding(f"unknown compression method {member.compress_type}", name)
    yield from _audit_size(name, member.file_size, member.compress_size)


def _extra_fields(extra: bytes) -> Iterator[int]:
    """The numbers of the extra fields of a member."""
    while len(extra) >= 4:
        number, length = struct.unpack_from("<HH", extra)
        yield number
        extra = extra[4 + length :]


def _audit_size(name: str, size: int, stored: int) -> Iterator[Finding]:
    allowed = {CONFIG: limits.CONFIG_BYTES, METADATA: limits.METADATA_BYTES}.get(name)
    if allowed is not None and size > allowed:
        yield Finding(f"{size} bytes, allowed are {allowed}", name)
    elif size > limits.EXPANSION_FLOOR and size > limits.EXPANSION * max(stored, 1):
        yield Finding(
            f"{stored} stored bytes grow to {size}, more than {limits.EXPANSION} times (a decompression bomb)", name
        )


def is_traversal(name: str) -> bool:
    """Whether a name that becomes part of a path could lead out of its folder, or hide where it leads."""
    parts = name.replace("\\", "/").split("/")
    return (
        ".." in parts
        or name.startswith(("/", "\\", "~"))
        or "\\" in name
        or parts[0].endswith(":")
        or any(ord(char) < 32 for char in name)
    )


def audit_folder(folder: Path) -> list[Finding]:
    """The same rules for a `.keras` archive unpacked into a folder (as Keras writes it for a model hub)."""
    findings = []
    for entry in sorted(folder.rglob("*")):
        name = entry.relative_to(folder).as_posix()
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            findings.append(Finding("the entry is a link or a device, not a file", name))
        elif entry.is_file() and name in (CONFIG, METADATA):
            findings.extend(_audit_size(name, entry.stat().st_size, entry.stat().st_size))
    if not (folder / WEIGHTS).is_file():
        findings.append(Finding(f"the folder has no {WEIGHTS}", remedy=_RESAVE, unsafe=False))
    return findings


def check_content(archive: zipfile.ZipFile) -> list[Finding]:
    """Read every member once and compare its checksum: finds a truncated or damaged archive."""
    for member in archive.infolist():
        try:
            with archive.open(member) as stream:
                while stream.read(limits.MIB):
                    pass
        except Exception as error:  # BadZipFile, EOFError, zlib.error and what else a decompressor meets in garbage
            return [damaged(member.filename, error)]
    return []


def data_offset(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin in the file: behind its local header, whose length varies."""
    assert archive.fp is not None
    archive.fp.seek(member.header_offset + 26)
    name, extra = struct.unpack("<HH", archive.fp.read(4))
    return int(member.header_offset + 30 + name + extra)


def parse_json(text: bytes | str, where: str) -> tuple[Any, list[Finding]]:
    """Parse JSON as Keras does, with its failures as findings.

    Returns:
        the document (None when it does not parse) and the findings.
    """
    try:
        return json.loads(text), []
    except RecursionError:
        return None, [Finding("nested too deeply", where)]
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, integers of thousands of digits
        return None, [damaged(where, error)]
