"""The way from a path to a Keras model: recognize, audit as data, refuse or build."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exporter.loading.audit import audit
from exporter.loading.backend import require_tensorflow
from exporter.loading.budget import Budget
from exporter.loading.build import build
from exporter.loading.finding import refuse
from exporter.loading.recognize import Kind, recognize
from exporter.loading.saved_model import load_saved_model

_SUFFIX = {Kind.ARCHIVE: ".keras", Kind.HDF5: ".h5"}


def load(path: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None, trust: bool = False) -> Any:
    """Load a Keras model from a file that nobody vouches for.

    The file is first read as data and held against an allow-list; only then Keras builds the model, with
    `safe_mode=True`. What was checked is checked: that is no promise that a file is harmless.

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
    path, kind = recognize(path)
    require_tensorflow()
    if kind is Kind.SAVED_MODEL:
        return load_saved_model(path, trust)
    result = audit(path, kind, custom_objects)
    refuse(path, [finding for finding in result.findings if not (trust and finding.unsafe)])
    with _name_for_keras(path, kind) as named:
        budget = Budget(str(path)) if trust else result.budget(str(path))
        return build(named, result.custom_objects, trust, budget)


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
