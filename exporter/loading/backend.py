"""Keras runs on TensorFlow here: the export formats are reached through TensorFlow's tracing."""

from __future__ import annotations

import os
import sys

from exporter.errors import UsageError


def require_tensorflow() -> None:
    """Make sure that Keras uses its TensorFlow backend; choose it when Keras is not imported yet.

    Raises:
        UsageError: if Keras already runs on another backend.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    if keras.config.backend() != "tensorflow":
        raise UsageError(
            "Keras must run on its TensorFlow backend",
            reason=f"it was imported with the backend {keras.config.backend()!r} before exporter was used",
            remedy="set KERAS_BACKEND=tensorflow before Python starts, or load in a process of its own; "
            "files saved under JAX or PyTorch load just as well",
        )
