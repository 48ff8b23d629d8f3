"""A SavedModel as input: a program, not data. It is loaded only for those who trust it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exporter.errors import LoadError, UnsafeFileError

MARKERS = ("saved_model.pb", "saved_model.pbtxt")


def is_saved_model(path: Path) -> bool:
    """Whether `path` is the folder of a SavedModel."""
    return path.is_dir() and any((path / marker).is_file() for marker in MARKERS)


def load_saved_model(path: Path, trust: bool) -> Any:
    """A Keras model around the serving function of a SavedModel.

    The layers are gone: the model has one layer, which calls the function.

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

    try:
        loaded = tf.saved_model.load(str(path))
        signatures = dict(loaded.signatures)
    except Exception as error:  # TensorFlow raises OSError, ValueError, protobuf's own and more
        raise LoadError("TensorFlow cannot load the SavedModel", where=str(path), reason=str(error)) from error
    if "serving_default" not in signatures:
        raise LoadError(
            "the SavedModel has no function to call",
            where=str(path),
            reason=f"it has the signatures {sorted(signatures) or 'none'}, wanted is serving_default",
            remedy="save it with model.export(...)",
        )
    return _wrap(path, signatures["serving_default"])


def _wrap(path: Path, function: Any) -> Any:
    """A Functional model with the inputs of a signature and one TFSMLayer that calls it."""
    import keras

    specs = function.structured_input_signature[1]
    inputs = {
        name: keras.Input(batch_shape=tuple(spec.shape), dtype=spec.dtype.name, name=name)
        for name, spec in sorted(specs.items())
    }
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="serving_default")
    return keras.Model(inputs, layer(**inputs), name="saved_model")
