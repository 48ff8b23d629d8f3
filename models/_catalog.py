"""Which models there are, and what each of their files defines."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, Protocol, cast

import models
from exporter.errors import UsageError
from models._goal import Goal

if TYPE_CHECKING:
    import keras

Arrays = Any  # an array, or arrays by input or output name, as the model takes or returns them


class Definition(Protocol):
    """One file of `models/`."""

    GOAL: Goal

    def build(self) -> keras.Model:
        """Build the model with its initial weights."""
        ...

    def train(self) -> keras.Model:
        """Return the finished model, reproducibly.

        Raises:
            GoalMissedError: if its score on the test set is below the goal.
        """
        ...

    def test_data(self) -> tuple[Arrays, Arrays]:
        """Return real inputs that the training never saw, and the targets; rows along axis 0."""
        ...

    def score(self, model: keras.Model) -> float:
        """Compute the metric of the goal on the test set."""
        ...


def names() -> list[str]:
    """Return the names of all models, in alphabetical order."""
    return [module.name for module in pkgutil.iter_modules(models.__path__) if not module.name.startswith("_")]


def find(name: str) -> Definition:
    """Import one model's file.

    Raises:
        UsageError: if there is none of this name.
    """
    if name not in names():
        raise UsageError("no such model", where=name, reason=f"models/ has: {', '.join(names())}")
    return cast(Definition, importlib.import_module(f"models.{name}"))
