"""A SavedModel as input: a program, not data. It is loaded only for those who trust it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exporter.errors import LoadError, UnsafeFileError

_MARKERS = ("saved_model.pb", "saved_model.pbtxt")
_SERVING = "serving_default"


def is_saved_model(path: Path) -> bool:
    """Whether `path` is the folder of a SavedModel."""
    return path.is_dir() and any((path / marker).is_file() for marker in _MARKERS)


def load_saved_model(path: Path, trust: bool) -> Any:
    """A Keras model around the serving function of a SavedModel.

    The layers are gone: the model has one layer, which calls the function; its outputs are a dict by name.

    Raises:
        UnsafeFileError: without `trust`.
        LoadError: if TensorFlow cannot load it or it has no serving function.
    """
    if not trust:
        raise UnsafeFileError(
            "a SavedModel is a program, not data: its graph may read and write files of this machine",
            where=str(path),
            reason="no audit can tell what it does, so it is loaded only when you trust it",
            remedy="export the .keras file it was made from, or load it with trust=True (--trust)",
        )
    import tensorflow as tf

    from exporter.loading.saved_model_layer import model_of

    try:
        loaded = tf.saved_model.load(str(path))
        signatures = sorted(loaded.signatures)
        if _SERVING in signatures:
            return model_of(loaded, _SERVING)
    except Exception as error:  # TensorFlow raises OSError, ValueError, protobuf's own and more
        raise LoadError("TensorFlow cannot load the SavedModel", where=str(path), reason=str(error)) from error
    raise LoadError(
        "the SavedModel has no function to call",
        where=str(path),
        reason=f"its signatures are {signatures}, wanted is {_SERVING}",
        remedy="save it with model.export(...)",
    )
