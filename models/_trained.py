"""Trained models on disk: `trained/NAME.keras`, and beside it `NAME.json`, which says what it was made from.

A file is up to date as long as everything that could change its weights is what it was when it was made: the source of
the model, of the private modules here and of the custom layers; the versions of the libraries; and the file itself, so
that a training that was interrupted, or a file that was tampered with, does not count.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import exporter
from models import _catalog

HERE = Path(__file__).parent
FOLDER = HERE / "trained"
LIBRARIES = ("keras", "tensorflow", "numpy", "scikit-learn")
CUSTOM = ("layers", "activations", "losses", "authoring")  # within exporter


def trained(name: str, *, folder: Path = FOLDER, force: bool = False) -> Path:
    """Return the path of a trained model, after training it if it is not up to date.

    Args:
        name: a name of `models._catalog.names()`.
        folder: where the files are.
        force: train it in any case.

    Raises:
        UsageError: if there is no such model.
        GoalMissedError: if it was trained and is not good enough; the old file stays.
    """
    definition = _catalog.find(name)
    if force or out_of_date(name, folder):
        start = time.monotonic()
        model = definition.train()
        facts = {"seconds": round(time.monotonic() - start, 1), definition.GOAL.metric: definition.score(model)}
        _save(model, name, folder, facts)
    return _file(name, folder)


def out_of_date(name: str, folder: Path = FOLDER) -> str:
    """Say why the model has to be trained; an empty string if it has not."""
    try:
        record = json.loads(_record(name, folder).read_text(encoding="utf-8"))
        written, then = record["sha256"], dict(record["made_from"])
        found, now = _sha256(_file(name, folder)), ingredients(name)
    except FileNotFoundError:
        return "not trained yet"
    except (ValueError, TypeError, KeyError):
        return f"{name}.json is damaged"
    if found != written:
        return f"{name}.keras is not the file that was written"
    changed = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
    return f"changed: {', '.join(changed)}" if changed else ""


def ingredients(name: str) -> dict[str, str]:
    """Return all that the weights depend on: SHA-256 of sources, versions of libraries."""
    own = [HERE / f"{name}.py", *sorted(HERE.glob("_[!_]*.py"))]
    sources = {f"models/{path.name}": _sha256(path) for path in own}
    package = Path(exporter.__file__).parent
    custom = {f"exporter/{part}": _sha256(package / part) for part in CUSTOM}
    return sources | custom | {library: importlib.metadata.version(library) for library in LIBRARIES}


def _save(model: Any, name: str, folder: Path, facts: Mapping[str, float]) -> None:
    """Write both files beside their final names first: whoever reads meanwhile finds the old ones, or the new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.{os.getpid()}.keras"
    try:
        model.save(partial)
        record = {**facts, "sha256": _sha256(partial), "made_from": ingredients(name)}
        os.replace(partial, _file(name, folder))
        partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial, _record(name, folder))
    finally:
        partial.unlink(missing_ok=True)


def _file(name: str, folder: Path) -> Path:
    return folder / f"{name}.keras"


def _record(name: str, folder: Path) -> Path:
    return folder / f"{name}.json"


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of the Python files in a folder and their names."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        digest.update(f"{file.relative_to(path)}\n".encode() if path.is_dir() else b"")
        digest.update(file.read_bytes())
    return digest.hexdigest()
