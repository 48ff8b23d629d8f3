"""Let Keras build the audited model, within a budget, and say in one sentence why it could not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exporter.errors import LoadError
from exporter.loading.budget import Budget, enforced
from exporter.loading.finding import printable


def build(path: Path, custom_objects: Mapping[str, Any], trust: bool, budget: Budget) -> Any:
    """Build the model with `keras.saving.load_model`; `safe_mode` is off only with `trust`.

    Args:
        path: an audited file or folder, named as Keras expects (`.keras`, `.h5`).
        custom_objects: what Keras is to find under names that are not its own.
        trust: whether code in the file may run.
        budget: what the model may use.

    Raises:
        LoadError: whatever Keras found wrong.
        UnsafeFileError: if the model outgrows the budget.
    """
    import keras

    try:
        with enforced(budget):
            model = keras.saving.load_model(path, custom_objects=dict(custom_objects), safe_mode=not trust)
    except Exception as error:  # Keras raises what its layers raise: anything
        if budget.refusal:
            raise budget.refusal from None
        raise LoadError(
            "Keras cannot build the model",
            where=budget.file,
            reason=_gist(_root_cause(error)),
            remedy="load it with the Keras version that wrote it, and check that custom layers accept "
            "their own get_config()",
        ) from error
    if budget.refusal:
        raise budget.refusal
    if not isinstance(model, keras.Model):
        raise LoadError("the file holds no model", where=budget.file, reason=f"it holds a {type(model).__name__}")
    return model


def _root_cause(error: BaseException) -> BaseException:
    """The first exception of a chain: Keras wraps what layers raise."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _gist(error: BaseException, lines: int = 4) -> str:
    """The first lines of a message; Keras appends whole configs to it."""
    kept = [printable(line.strip(), 300) for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: " + "\n       ".join(kept[:lines])
