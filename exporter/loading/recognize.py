"""Which kind of file a path leads to, told by its first bytes; the name is only a hint."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

from exporter.errors import LoadError, UsageError
from exporter.loading.archive import CONFIG
from exporter.loading.saved_model import is_saved_model
from exporter.run.failures import reason_of

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_TFLITE = b"TFL3"  # a flatbuffer carries its identifier after four bytes
_PICKLE = b"\x80"


class Kind(Enum):
    """What can be told apart; the value is what messages call it."""

    ARCHIVE = ".keras archive"
    FOLDER = "unpacked .keras archive"
    HDF5 = "HDF5 model"
    SAVED_MODEL = "SavedModel"


def recognize(path: str | os.PathLike[str]) -> tuple[Path, Kind]:
    """The path and the kind of the model there.

    Raises:
        UsageError: if the path is an address on a network.
        LoadError: if there is nothing, nothing readable, or no model.
    """
    if "://" in str(path):
        raise UsageError("only local files are loaded", where=str(path), remedy="download the file first")
    path = Path(path)
    try:
        return path, _kind_of_folder(path) if path.is_dir() else _kind_of_file(path)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = reason_of(error)
        raise LoadError("the model file cannot be read", where=repr(str(path)), reason=reason) from None


def _kind_of_folder(path: Path) -> Kind:
    if is_saved_model(path):
        return Kind.SAVED_MODEL
    if (path / CONFIG).is_file():
        return Kind.FOLDER
    raise LoadError(
        "the folder holds no model",
        where=str(path),
        reason=f"it has neither saved_model.pb nor {CONFIG}",
        remedy="give the path of a .keras or .h5 file",
    )


def _kind_of_file(path: Path) -> Kind:
    if not path.is_file():
        if path.exists():
            raise LoadError("not a model file", where=str(path), reason="it is a device, a pipe or a socket")
        raise LoadError("there is no such file", where=str(path), remedy="check the path and the working directory")
    with path.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(_ZIP):
        return Kind.ARCHIVE
    if head == _HDF5:
        return Kind.HDF5
    raise LoadError("not a Keras model", where=str(path), reason=_guess(path, head), remedy=_REMEDY)


_REMEDY = "give a file written by model.save('model.keras'); exported files are looked at with kx inspect"


def _guess(path: Path, head: bytes) -> str:
    if not head:
        return "the file is empty"
    if head[4:8] == _TFLITE:
        return "it is a TFLite file, which does not hold the Keras layers any more"
    if path.suffix == ".onnx":
        return "it is an ONNX file, which does not hold the Keras layers any more"
    if head.startswith(_PICKLE) or path.suffix in (".pkl", ".pickle", ".joblib"):
        return "it looks like a pickle, which runs code when it is opened"
    return f"it starts with {head!r}, neither a ZIP archive (.keras) nor HDF5 (.h5)"
