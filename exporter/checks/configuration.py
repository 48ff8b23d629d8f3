"""Layers, losses, metrics and others of one's own whose configuration forgets an argument: it takes its default again."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Set
from typing import Any

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.checks._custom import custom_objects_of
from exporter.spec import Options, Problem

VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


@RULES.register("configuration")
def configuration(source: Source, options: Options) -> Iterator[Problem]:
    """Hold the arguments of `__init__` of each class of the user's own against the keys of its `get_config`."""
    seen = set()
    for layer in source.layers:
        if type(layer) in source.custom_classes and type(layer) not in seen:
            seen.add(type(layer))
            yield from _forgotten(layer, f"{layer.path} ({type(layer).__name__})", set())
    for custom in custom_objects_of(source):
        if custom.instance is not None:
            yield from _forgotten(custom.instance, custom.name, _of_keras(custom.thing))


def _forgotten(owner: Any, where: str, known: Set[str]) -> Iterator[Problem]:
    try:
        config = owner.get_config()
    except Exception as error:  # a user's code, which may raise anything
        yield Problem(where, f"get_config() fails: {_gist(error)}", _get_config_of(owner, known), severity="warning")
        return
    for name, parameter in _arguments(owner, known).items():
        if name not in config:
            fate = "takes its default" if parameter.default is not parameter.empty else "cannot be made without it"
            yield Problem(
                where=where,
                reason=f"get_config() forgets {name!r}: a reloaded {_kind(owner)} {fate}",
                remedy=f'return {{**super().get_config(), "{name}": self.{name}}} from get_config',
                severity="warning",
            )


def _gist(error: Exception) -> str:
    """The first paragraph of a message; Keras appends an example."""
    return " ".join(str(error).strip().partition("\n\n")[0].split())


def _get_config_of(owner: Any, known: Set[str]) -> str:
    pairs = "".join(f', "{name}": self.{name}' for name in _arguments(owner, known))
    return f"define get_config(self): return {{**super().get_config(){pairs}}}"


def _arguments(owner: Any, known: Set[str]) -> dict[str, inspect.Parameter]:
    """The arguments of `__init__` by name, without the object itself, whatever it is called, and what is `known`."""
    _, *parameters = inspect.signature(type(owner).__init__).parameters.values()
    return {p.name: p for p in parameters if p.kind not in VARIADIC and p.name not in known}


def _of_keras(cls: type) -> set[str]:
    """The arguments of the class of Keras below: which of them it writes down is its own affair."""
    base = next((base for base in cls.__mro__ if base.__module__.partition(".")[0] == "keras"), None)
    return set() if base is None else set(inspect.signature(base).parameters)


def _kind(owner: Any) -> str:
    import keras

    kinds = {
        "layer": keras.Layer,
        "loss": keras.losses.Loss,
        "metric": keras.metrics.Metric,
        "optimizer": keras.optimizers.Optimizer,
    }
    return next((kind for kind, cls in kinds.items() if isinstance(owner, cls)), "object")
