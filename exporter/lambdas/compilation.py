"""Compile a rewritten model as the given one is, with the state of its optimizer."""

from __future__ import annotations

from collections import Counter
from typing import Any


def compile_like(new: Any, model: Any) -> tuple[str, ...]:
    """Compile `new` as `model` is compiled; do nothing if it is not.

    Returns:
        Notes on what could not be carried over.
    """
    if not model.compiled:
        return ()
    try:
        new.compile_from_config(model.get_compile_config())
        if getattr(model.optimizer, "built", False):
            _copy_state(new, model)
    except Exception as error:  # losses and metrics of the user's own may fail in any way
        return (f"the model is not compiled: {type(error).__name__}: {str(error).splitlines()[0][:200]}; compile it",)
    return ()


def _copy_state(new: Any, model: Any) -> None:
    """Copy by path: the order of the layers may have changed."""
    if not new.optimizer.built:
        new.optimizer.build(new.trainable_variables)
    given = model.optimizer.variables
    repeated = [path for path, count in Counter(v.path for v in given).items() if count > 1]
    if repeated:
        raise ValueError(f"the optimizer has several variables called {repeated[0]}")
    by_path = {variable.path: variable for variable in given}
    for variable in new.optimizer.variables:
        variable.assign(by_path[variable.path])
