"""Classes and functions of one's own that are not registered: the model file gives a name that nobody can find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.checks._custom import Custom, custom_objects_of
from exporter.spec import Options, Problem


@RULES.register("registration")
def registration(source: Source, options: Options) -> Iterator[Problem]:
    """Find layers, activations, losses, metrics and optimizers outside Keras without a registered name of their own."""
    import keras

    for custom in custom_objects_of(source):
        name = keras.saving.get_registered_name(custom.thing)
        holder = keras.saving.get_registered_object(name)
        if custom.thing.__name__ == "<lambda>":
            yield _lambda(custom)
        elif holder is None:
            yield _unregistered(custom)
        elif holder is not custom.thing:
            yield _taken(custom, name, holder)


def _lambda(custom: Custom) -> Problem:
    return Problem(
        where=custom.where,
        reason="it is a lambda, stored as Python bytecode, which safe loading refuses",
        remedy=f"write it as a function, def NAME(...), with {_decorator(custom.thing)} above it",
        severity="warning",
    )


def _unregistered(custom: Custom) -> Problem:
    kind = "class" if isinstance(custom.thing, type) else "function"
    return Problem(
        where=custom.name,
        reason=f"the {kind} has no registered name, so a saved model reloads only with custom_objects",
        remedy=f"put {_decorator(custom.thing)} above {'class' if kind == 'class' else 'def'} {custom.thing.__name__}",
        severity="warning",
    )


def _taken(custom: Custom, name: str, holder: Any) -> Problem:
    return Problem(
        where=custom.name,
        reason=f"{holder.__module__}.{holder.__qualname__} is registered as {name!r} too, and takes its place in a "
        "reloaded model",
        remedy=f"give it another name: {_decorator(custom.thing, custom.thing.__name__)}",
        severity="warning",
    )


def _decorator(thing: Any, name: str | None = None) -> str:
    package = thing.__module__.partition(".")[0].strip("_")
    named = "" if name is None else f', name="{name}"'
    return f'@keras.saving.register_keras_serializable(package="{package}"{named})'
