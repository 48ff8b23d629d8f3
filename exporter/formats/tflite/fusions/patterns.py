"""Tell whether a tensor was made by the steps of a formula.

A spelling is a name ("x"), which stands for the same tensor wherever it occurs; a number, for a constant of one element; or
(types, operands…), for what an op of one of these types makes of operands, with those of sums, products and extremes in
either order:

    ("Mul", "x", ("Sigmoid", "x"))
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

Spelling = str | float | tuple[Any, ...]
Found = Mapping[str, Any]

COMMUTATIVE = frozenset({"AddV2", "Mul", "Maximum", "Minimum"})


def spelled(tensors: Sequence[Any], spellings: Sequence[Spelling]) -> Found | None:
    """Return the tensors that the names stand for, if each of `tensors` was made as its spelling says; else None."""
    return next(_all(list(zip(tensors, spellings, strict=True)), {}), None)


def number(tensor: Any) -> float | None:
    """Return the number that a constant without axes holds; None for other tensors."""
    known = tf.get_static_value(tensor)
    return float(known) if known is not None and known.ndim == 0 else None


def _all(pairs: Sequence[tuple[Any, Spelling]], found: Found) -> Iterator[Found]:
    if not pairs:
        yield found
        return
    for more in _one(*pairs[0], found):
        yield from _all(pairs[1:], more)


def _one(tensor: Any, spelling: Spelling, found: Found) -> Iterator[Found]:
    tensor = _unwrapped(tensor)
    if isinstance(spelling, str):
        if found.get(spelling, tensor) is tensor:
            yield {**found, spelling: tensor}
    elif isinstance(spelling, tuple):
        types, *operands = spelling
        if tensor.op.type in types.split() and len(operands) == len(tensor.op.inputs):
            inputs = list(tensor.op.inputs)
            yield from _all(list(zip(inputs, operands, strict=True)), found)
            if tensor.op.type in COMMUTATIVE:
                yield from _all(list(zip(inputs[::-1], operands, strict=True)), found)
    elif (known := number(tensor)) is not None and math.isclose(known, spelling, rel_tol=1e-6):
        yield found


def _unwrapped(tensor: Any) -> Any:
    """Return what an Identity passes on."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor
