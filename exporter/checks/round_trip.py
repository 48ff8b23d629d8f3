"""Custom layers that come back from their own config as something else, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from exporter.capture.source import Source
from exporter.checks import COSTLY
from exporter.spec import Options, Problem


@COSTLY.register("round trip")
def round_trip(source: Source, options: Options) -> Iterator[Problem]:
    """Make each custom layer again from its config, and hold the new config against the old."""
    for layer in source.layers:
        if type(layer) in source.custom_classes:
            yield from _differences(layer)


def _differences(layer: Any) -> Iterator[Problem]:
    where = f"{layer.path} ({type(layer).__name__})"
    try:
        config = layer.get_config()
    except Exception:  # a user's code; the rule "configuration" tells of it
        return
    try:
        again = type(layer).from_config(json.loads(json.dumps(config))).get_config()
    except Exception as error:  # likewise
        first = next(iter(str(error).splitlines()), "")[:200]
        yield Problem(
            where=where,
            reason=f"the layer cannot be made from its own config: {type(error).__name__}: {first}",
            remedy="accept in __init__ every key that get_config() returns, with plain JSON values: "
            "def __init__(self, ..., **kwargs): super().__init__(**kwargs)",
            severity="warning",
        )
        return
    changed = sorted(key for key in config.keys() | again.keys() if _text(config.get(key)) != _text(again.get(key)))
    if changed:
        yield Problem(
            where=where,
            reason=f"a layer made from its own config has other values of {', '.join(changed)}",
            remedy=f"keep the argument as it was given: self.{changed[0]} = {changed[0]}, "
            f'and return "{changed[0]}": self.{changed[0]} from get_config',
            severity="warning",
        )


def _text(value: Any) -> str:
    """Lists and tuples, and numbers of any kind, compare as they are stored: as JSON."""
    return json.dumps(value, sort_keys=True, default=repr)
