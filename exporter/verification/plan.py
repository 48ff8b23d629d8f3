"""Which kinds of values are tried at which batch sizes, and how many of them a model's size allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

# Kinds and batch sizes, the most telling first. Each kind stands with few sizes and each size with few kinds.
CASES: tuple[tuple[str, int], ...] = (
    ("normal", 3),
    ("zeros", 1),
    ("uniform", 2),
    ("normal", 0),
    ("pixels", 1),
    ("scaled", 7),
    ("wide", 17),
    ("ones", 2),
    ("spikes", 7),
    ("signed", 3),
    ("normal", 17),
    ("sparse", 7),
    ("pixels", 3),
    ("uniform", 7),
    ("scaled", 64),
    ("wide", 64),
    ("sparse", 64),
    ("spikes", 64),
    ("signals", 3),
    ("levels", 7),
    ("normal", 200),
)
ESSENTIAL = 5  # this many of them are run, however large the model is
BUDGET = 2**21  # the cost of all samples together


def cost_of_row(shapes: Iterable[Sequence[int | None]], model: Any) -> int:
    """Return what one row costs: its elements, and a 16th of the number of weights (each is used at least once)."""
    elements = sum(math.prod(1 if d is None else d for d in shape) for shape in shapes)
    return max(1, elements + sum(math.prod(v.shape) for v in model.variables) // 16)


def affordable(fixed: int | None, cost: int) -> list[tuple[str, int]]:
    """Return the kinds and batch sizes that fit into `BUDGET`, in the order of `CASES`.

    A case that is too large for what is left is cut to 3, 2 or 1 rows, or left out; the first `ESSENTIAL` are cut to 2
    rows at the least. With a fixed batch each kind is tried once, at that batch.

    Args:
        fixed: the batch size, None if it is dynamic.
        cost: of a row.
    """
    if fixed is not None:
        kinds = list(dict.fromkeys(kind for kind, rows in CASES if rows))
        return [(kind, fixed) for kind in kinds][: max(ESSENTIAL, BUDGET // (cost * max(1, fixed)))]
    left, chosen = BUDGET // cost, []
    for number, (kind, rows) in enumerate(CASES):
        least = min(rows, 2) if number < ESSENTIAL else 0
        taken = max((r for r in {rows, least, 1, 2, 3} if r <= rows and (r <= left or r == least)), default=0)
        if (taken or not rows) and (kind, taken) not in chosen:
            chosen.append((kind, taken))
            left -= taken
    return chosen
