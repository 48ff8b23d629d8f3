"""Rewrite a model without its Lambda layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from exporter.errors import UnsupportedError, UsageError
from exporter.lambdas.compilation import compile_like
from exporter.lambdas.equivalence import prove_model
from exporter.lambdas.rewriting import Rewriter
from exporter.spec import Problem


@dataclass(frozen=True)
class Replaced:
    """A Lambda that is plain operations now.

    Args:
        layer: its path in the model.
        operations: names of the `keras.ops` functions, in order.
    """

    layer: str
    operations: tuple[str, ...]


@dataclass(frozen=True)
class Removal:
    """What became of the Lambda layers of a model.

    Args:
        model: the rewritten model; the given one if nothing could be rewritten.
        replaced: one entry for each call of a Lambda.
        kept: the Lambdas that stay, each with the reason and a suggestion.
        notes: what else is not as it was.
        meaning: the version of Keras 2 whose meaning a file was read with; None for files of Keras 3 and live models.
    """

    model: Any
    replaced: tuple[Replaced, ...] = ()
    kept: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    meaning: str | None = None


def remove_lambdas(model: Any) -> Any:
    """Return a model without Lambda layers that computes the same, verified on samples.

    Each Lambda becomes the `keras.ops` functions that its own function calls; calls of `tf.*`, of Keras 2's `K.*` and of
    NumPy are translated where `keras.ops` has the same. A Functional model stays what it is; a Sequential model becomes
    a Functional one; nested models are rewritten where they stand. All other layers are shared with the given
    model, not copied: weights, names and layers used twice stay what they are. A compiled model is compiled alike, with the
    state of its optimizer.

    Args:
        model: a built keras.Model.

    Raises:
        UsageError: if it is no built Keras model.
        UnsupportedError: if a Lambda has to stay; the message lists each with its reason. `rewrite_lambdas` in
            `exporter.lambdas` replaces the others all the same.
        ParityError: if the result computed something else.
    """
    result = rewrite_lambdas(model)
    if result.kept:
        raise unsupported(result.kept)
    return result.model


def rewrite_lambdas(model: Any) -> Removal:
    """Replace the Lambda layers that can be replaced, and tell which cannot.

    Args:
        model: a built keras.Model.

    Raises:
        UsageError: if it is no built Keras model.
        ParityError: if the result computed something else.
    """
    _require_built_model(model)
    rewriter = Rewriter(model)
    new = rewriter.rewritten(model)
    replaced = tuple(Replaced(layer, operations) for layer, operations in rewriter.replaced)
    if new is model:
        return Removal(model, kept=rewriter.all_kept(model))
    prove_model(new, model)
    return Removal(new, replaced, rewriter.all_kept(new), compile_like(new, model))


def unsupported(kept: tuple[Problem, ...]) -> UnsupportedError:
    """The error that tells of every Lambda that stays."""
    return UnsupportedError.joined(
        [UnsupportedError("the Lambda has to stay", where=p.where, reason=p.reason, remedy=p.remedy) for p in kept]
    )


def _require_built_model(model: Any) -> None:
    if isinstance(model, str | Path):
        raise UsageError(
            "not a Keras model", where=str(model), reason="it is a path", remedy="run: kx fix MODEL -o FILE --trust"
        )
    if not isinstance(model, keras.Model):
        raise UsageError("not a Keras model", where=repr(type(model)), reason="expected a keras.Model")
    if not model.built:
        raise UsageError("the model was never built", where=model.name, remedy="call it once, or give it an Input")
