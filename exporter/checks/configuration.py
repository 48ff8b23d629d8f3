"""Custom layers whose configuration forgets an argument: the reloaded layer silently takes the default."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from exporter.checks import RULES
from exporter.source import Source
from exporter.spec import Options, Problem

VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


@RULES.register("configuration")
def configuration(source: Source, options: Options) -> Iterator[Problem]:
    """Hold the arguments of `__init__` of each custom layer against the keys of its `get_config`."""
    seen = set()
    for layer in source.layers:
        if type(layer) in source.custom_classes and type(layer) not in seen:
            seen.add(type(layer))
            yield from _forgotten(layer)


def _forgotten(layer: Any) -> Iterator[Problem]:
    where = f"{layer.path} ({type(layer).__name__})"
    try:
        config = layer.get_config()
    except Exception as error:  # a user's code, which may raise anything
        yield Problem(
            where, f"get_config() fails: {error}", "return a dict of the arguments of __init__", severity="warning"
        )
        return
    for name, parameter in inspect.signature(type(layer).__init__).parameters.items():
        if name != "self" and parameter.kind not in VARIADIC and name not in config:
            yield Problem(
                where=where,
                reason=f"get_config() forgets {name!r}: a reloaded layer takes its default",
                remedy=f'return {{**super().get_config(), "{name}": self.{name}}} from get_config',
                severity="warning",
            )
