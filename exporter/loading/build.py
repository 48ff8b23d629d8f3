"""Let Keras build the audited model, within a budget, and say in one sentence why it could not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exporter.errors import ExporterError, LoadError
from exporter.loading.budget import Budget, enforced
from exporter.loading.earlier import earlier_releases
from exporter.loading.finding import printable

_OTHERWISE = "load it with the Keras version that wrote it, and check that custom layers accept their own get_config()"
_NAMELESS = (
    "a Lambda uses this name, which its bytecode does not carry: pass it with --custom PKG.MODULE or custom_objects"
)


def build(load: Callable[[], Any], budget: Budget) -> Any:
    """Build a model within a budget.

    Args:
        load: builds the model of an audited file.
        budget: what the model may use.

    Raises:
        LoadError: whatever Keras found wrong.
        UnsafeFileError: if the model outgrows the budget.
    """
    import keras

    try:
        with earlier_releases(), enforced(budget):
            model = load()
    except ExporterError:
        if budget.refusal:
            raise budget.refusal from None
        raise
    except Exception as error:  # Keras raises what its layers raise: anything
        if budget.refusal:
            raise budget.refusal from None
        raise LoadError(
            "Keras cannot build the model",
            where=budget.file,
            reason=_gist(_root_cause(error)),
            remedy=_NAMELESS if isinstance(_root_cause(error), NameError) else _OTHERWISE,
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
