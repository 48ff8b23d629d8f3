"""Let Keras build the audited model, within a memory budget, and say in one sentence why it could not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exporter.errors import ExporterError, LoadError, UnsafeFileError
from exporter.loading.finding import printable


def build(path: Path, custom_objects: Mapping[str, Any] | None, trust: bool, budget: float) -> Any:
    """Build the model with `keras.saving.load_model`; `safe_mode` is off only with `trust`.

    Args:
        path: an audited file or folder, named as Keras expects (`.keras`, `.h5`).
        custom_objects: as passed by the user.
        trust: whether code in the file may run.
        budget: bytes that the variables of the model may take.

    Raises:
        LoadError: whatever Keras found wrong.
        UnsafeFileError: if the variables outgrow the budget.
    """
    import keras

    try:
        with variable_budget(path, budget):
            model = keras.saving.load_model(path, custom_objects=dict(custom_objects or {}), safe_mode=not trust)
    except Exception as error:  # Keras raises what its layers raise: anything
        if isinstance(ours := _root_cause(error), ExporterError):
            raise ours from None
        raise LoadError(
            "Keras cannot build the model",
            where=str(path),
            reason=_gist(_root_cause(error)),
            remedy="load it with the Keras version that wrote it, and check that custom layers accept "
            "their own get_config()",
        ) from error
    if not isinstance(model, keras.Model):
        raise LoadError("the file holds no model", where=str(path), reason=f"it holds a {type(model).__name__}")
    return model


@contextmanager
def variable_budget(path: Path, budget: float) -> Iterator[None]:
    """Stop before the variables of a model outgrow `budget` bytes.

    A config of a hundred bytes can ask for a matrix of petabytes, which Keras would allocate before it looks at
    the weights. No public hook sees a variable before it is allocated, so one method is wrapped for the time.
    """
    import keras

    plain = keras.Variable._initialize_with_initializer
    spent = 0.0

    def counted(variable: Any, initializer: Any) -> None:
        nonlocal spent
        spent += math.prod(variable.shape) * _itemsize(variable.dtype)
        if spent > budget:
            raise UnsafeFileError(
                "the model asks for more memory than its weights explain",
                where=f"{path}: variable {printable(variable.path)} of shape {variable.shape}",
                reason=f"variables of {spent:.3g} bytes, allowed for this file are {budget:.3g}",
                remedy="if you know who made the file, load it with trust=True (--trust)",
            )
        plain(variable, initializer)

    keras.Variable._initialize_with_initializer = counted
    try:
        yield
    finally:
        keras.Variable._initialize_with_initializer = plain


def _itemsize(dtype: str) -> float:
    """Bytes of one element: the digits of `float32`, `int4`, `bfloat16`; one for `bool` and `string`."""
    bits = re.search(r"\d+", dtype)
    return int(bits[0]) / 8 if bits else 1.0


def _root_cause(error: BaseException) -> BaseException:
    """The first exception of a chain: Keras wraps what layers raise, our budget among them."""
    while (inner := error.__cause__ or error.__context__) is not None:
        if isinstance(error, ExporterError):
            return error
        error = inner
    return error


def _gist(error: BaseException, lines: int = 4) -> str:
    """The first lines of a message; Keras appends whole configs to it."""
    kept = [printable(line.strip(), 300) for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: " + "\n       ".join(kept[:lines])
