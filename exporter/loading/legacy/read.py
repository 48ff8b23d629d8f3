"""The way from an audited Keras 2 file to a Keras 3 model."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py

from exporter.loading.archive import WEIGHTS
from exporter.loading.legacy.assets import restore_assets
from exporter.loading.legacy.training import restore_training
from exporter.loading.legacy.translated import Translation
from exporter.loading.legacy.weights import assign_from_archive, assign_from_h5
from exporter.loading.legacy.wiring import Builder
from exporter.loading.recognize import Kind


def read(path: Path, kind: Kind, translation: Translation, custom_objects: Mapping[str, Any], trust: bool) -> Any:
    """Build the model, set its weights, compile it.

    Args:
        path: the file or folder.
        kind: what it is.
        translation: of its configs.
        custom_objects: for Keras.
        trust: whether Keras may run code of the file.

    Raises:
        LoadError: graph or weights do not fit together.
    """
    model, parts = Builder(custom_objects, trust).model(translation.model)
    with contextlib.ExitStack() as stack:
        if kind is Kind.HDF5:
            file = stack.enter_context(h5py.File(path, "r"))
            assign_from_h5(file, parts, model)
        else:
            member = stack.enter_context(_members(path, kind))
            restore_assets(member, parts)
            file = stack.enter_context(h5py.File(io.BytesIO(member(WEIGHTS) or b""), "r"))
            assign_from_archive(file, parts, model)
        restore_training(model, translation.training, parts, file, translation.remarks)
    return model


@contextlib.contextmanager
def _members(path: Path, kind: Kind) -> Iterator[Callable[[str], bytes | None]]:
    """Read members of an archive by name, or files of the folder that it was unpacked into."""
    if kind is Kind.FOLDER:
        yield lambda name: (path / name).read_bytes() if (path / name).is_file() else None
        return
    with zipfile.ZipFile(path) as archive:
        names = frozenset(archive.namelist())
        yield lambda name: archive.read(name) if name in names else None
