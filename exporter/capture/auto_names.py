"""Names that Keras counts: `dense_3` is the fourth Dense without a name of its own that a process has made.

A .keras file holds them, and so they last, unless the class of the model makes its layers itself: then they are counted anew
wherever it is loaded. Two such models differ in counts alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_COUNT = re.compile(r"_(\d+)$")


def counted_names(model: Any) -> frozenset[str]:
    """Return those names of a model's inputs and outputs that Keras gave: the layer's class, in snake case, and a count."""
    tensors = (*getattr(model, "inputs", ()), *getattr(model, "outputs", ()))
    operations = (t._keras_history.operation for t in tensors)
    return frozenset(
        operation.name
        for operation in operations
        if stem(operation.name).replace("_", "") == type(operation).__name__.lower().replace("_", "")
    )


def stem(name: str) -> str:
    """Return the name without its count."""
    return _COUNT.sub("", name)


def counted_alike(found: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether two lists of names could be those of one model, counted from other numbers on."""
    shifts: dict[str, set[int]] = {}
    for one, other in zip(found, wanted, strict=True):
        if stem(one) != stem(other):
            return False
        shifts.setdefault(stem(one), set()).add(_count(one) - _count(other))
    return all(len(shift) == 1 for shift in shifts.values())


def places(names: Sequence[str]) -> list[str]:
    """Return the names of calls (`exporter.capture.layer_calls`) with numbers in place of counts.

    Layers that differ in counts alone are numbered, inside each call, in the order in which they are called:
    "block/dense_7@2" becomes "block#0/dense#1@2". So one model gives equal places in every process.
    """
    known: dict[tuple[str, str], dict[str, int]] = {}
    result = []
    for name in names:
        place = ""
        for part in name.split("/"):
            layer, at, call = part.partition("@")
            layers = known.setdefault((place, stem(layer)), {})
            number = layers.setdefault(layer, len(layers))
            place += f"{'/' if place else ''}{stem(layer)}#{number}{at}{call}"
        result.append(place)
    return result


def _count(name: str) -> int:
    match = _COUNT.search(name)
    return int(match[1]) if match else 0
