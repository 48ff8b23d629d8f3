"""The way from a path to a Keras model: recognize, audit as data, refuse or build."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.loading.audit import Audit, audit
from exporter.loading.backend import require_tensorflow
from exporter.loading.budget import Budget
from exporter.loading.build import build
from exporter.loading.finding import Finding, refuse
from exporter.loading.recognize import Kind, recognize
from exporter.loading.saved_model import load_saved_model
from exporter.spec import Problem

_SUFFIX = {Kind.ARCHIVE: ".keras", Kind.HDF5: ".h5"}


@dataclass(frozen=True)
class Loaded:
    """A model and what is to be said of its file.

    Args:
        model: the built `keras.Model`.
        version: of the Keras that wrote the file, as it says; None for a SavedModel.
        notes: what was kept by other means, or could not be kept, of a file of Keras 2.
    """

    model: Any
    version: str | None = None
    notes: tuple[Problem, ...] = ()


def load(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None, trust: bool = False) -> Any:
    """Load a Keras model from a file that nobody vouches for.

    The file is first read as data and held against an allow-list; only then Keras builds the model, with
    `safe_mode=True`. What was checked is checked: that is no promise that a file is harmless.

    Files of Keras 2 (tf.keras, tf-keras) keep the meaning that they had there: `hard_sigmoid` keeps its slope of 0.2,
    `GRU` its old `reset_after`. What Keras 3 cannot say is refused by name. `exporter.check(path)` and reports tell what
    was kept by other means; docs/design/legacy.md has the table.

    Args:
        path: a `.keras` archive (or the same unpacked into a folder), an `.h5` file of a whole model,
            or, with `trust`, the folder of a SavedModel.
        custom_objects: classes and functions by the names under which the file may use them; what is registered
            with Keras, and everything in `exporter.layers`, `.activations` and `.losses`, is known without.
        trust: load whatever the file asks for, code included. Only for files whose origin you know.

    Returns:
        the built `keras.Model`, compiled if it was saved compiled.

    Raises:
        UnsafeFileError: if the file asks for more than data may; the message lists every such place.
        LoadError: if the file is missing, damaged, no model, or needs a class that nobody named.
        UsageError: if Keras runs on another backend than TensorFlow.
    """
    return load_with_notes(path, custom_objects, trust).model


def load_with_notes(
    path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None, trust: bool = False
) -> Loaded:
    """As `load`, with what is to be said of the file."""
    path, kind = recognize(path)
    require_tensorflow()
    if kind is Kind.SAVED_MODEL:
        return Loaded(load_saved_model(path, trust))
    result = audit(path, kind, custom_objects)
    _refuse(path, result.findings, trust)
    budget = Budget(str(path)) if trust else result.budget(str(path))
    if result.of_keras2:
        return _load_legacy(path, kind, result, trust, budget)
    with _name_for_keras(path, kind) as named:
        return Loaded(build(functools.partial(_load_with_keras, named, result, trust), budget), result.version)


def _load_with_keras(path: Path, result: Audit, trust: bool) -> Any:
    import keras

    return keras.saving.load_model(path, custom_objects=dict(result.custom_objects), safe_mode=not trust)


def _load_legacy(path: Path, kind: Kind, result: Audit, trust: bool, budget: Budget) -> Loaded:
    from exporter.loading.legacy.read import read
    from exporter.loading.legacy.translated import translate

    translation = translate(result.documents, result.names)
    _refuse(path, translation.findings, trust)
    model = build(functools.partial(read, path, kind, translation, result.custom_objects, trust), budget)
    return Loaded(model, result.version, tuple(translation.remarks.notes))


def _refuse(path: Path, findings: list[Finding], trust: bool) -> None:
    refuse(path, [finding for finding in findings if not (trust and finding.unsafe)])


@contextmanager
def _name_for_keras(path: Path, kind: Kind) -> Iterator[Path]:
    """Keras chooses the reader by the suffix; a file of another name is offered under a link with the right one."""
    suffix = _SUFFIX.get(kind, path.suffix)
    if path.suffix == suffix:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="exporter-") as folder:
        link = Path(folder) / f"{path.stem or 'model'}{suffix}"
        link.symlink_to(path.resolve())
        yield link
