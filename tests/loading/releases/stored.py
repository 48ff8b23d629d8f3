"""The archive of files that the releases of Keras 3 wrote: each distinct part is stored once.

`files.tar.xz` holds `index.json` (release → name of a file → the numbers of its parts) and the parts: the members of a `.keras`
archive, and an `.npz` of what its model computed. Parts that two releases wrote alike are one.
"""

from __future__ import annotations

import functools
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

ARCHIVE = Path(__file__).with_name("files.tar.xz")
CLOSE = {"rtol": 1e-3, "atol": 1e-4}  # outputs of two releases that are stored once


@functools.cache
def parts() -> dict[str, bytes]:
    with tarfile.open(ARCHIVE) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}


@functools.cache
def index() -> dict[str, dict[str, Any]]:
    return json.loads(parts()["index.json"])


def config(release: str, name: str) -> bytes:
    return parts()[index()[release][name]["config.json"]]


def write(release: str, name: str, folder: Path) -> Path:
    """The `.keras` file as the release wrote it."""
    with zipfile.ZipFile(folder / f"{name}.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": release, "date_saved": ""}))
        for member, part in index()[release][name].items():
            if member not in ("outputs", "truth", "evaluated"):
                archive.writestr(member, parts()[part])
    return folder / f"{name}.keras"


def arrays(release: str, name: str, kind: str = "outputs") -> dict[str, np.ndarray]:
    """What the model gave, in the order of its outputs; or "truth", what it was evaluated on."""
    with np.load(io.BytesIO(parts()[index()[release][name][kind]])) as stored:
        return dict(stored)


class Packer:
    """Collects files of releases, and writes the archive."""

    def __init__(self) -> None:
        self._parts: dict[bytes, str] = {}
        self._index: dict[str, dict[str, Any]] = {}
        self._outputs: dict[str, list[tuple[dict[str, np.ndarray], str]]] = {}

    def add(self, release: str, folder: Path) -> None:
        """Add every file of a folder that `write.py` made."""
        for path in sorted(folder.glob("*.keras")):
            with zipfile.ZipFile(path) as archive:
                members = {name: archive.read(name) for name in archive.namelist() if name != "metadata.json"}
            entry: dict[str, Any] = {name: self._number(content) for name, content in members.items()}
            entry["outputs"] = self._similar(path.stem, path.with_suffix(".npz"))
            if evaluated := json.loads(path.with_suffix(".json").read_text())["evaluated"]:
                entry |= {"evaluated": evaluated, "truth": self._similar("truth", folder / "truth.npz")}
            self._index.setdefault(release, {})[path.stem] = entry

    def _number(self, content: bytes) -> str:
        return self._parts.setdefault(content, f"{len(self._parts)}")

    def _similar(self, name: str, path: Path) -> str:
        with np.load(path) as stored:
            arrays = dict(stored)
        for known, number in self._outputs.setdefault(name, []):
            if known.keys() == arrays.keys() and all(_close(known[key], arrays[key]) for key in known):
                return number
        number = self._number(path.read_bytes())
        self._outputs[name].append((arrays, number))
        return number

    def write(self, path: Path = ARCHIVE) -> None:
        """Write the archive, the same bytes for the same files."""
        contents = {"index.json": json.dumps(self._index, sort_keys=True).encode()}
        contents |= {number: content for content, number in self._parts.items()}
        with tarfile.open(path, "w:xz", preset=9) as archive:
            for name, content in contents.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return np.allclose(one, other, **CLOSE, equal_nan=True) if one.dtype.kind == "f" else bool((one == other).all())
