"""What the tensors of a graph are computed from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def tensors_behind(outputs: Iterable[Any]) -> set[str]:
    """Return the names of all tensors that the outputs are computed from."""
    seen: set[str] = set()
    stack = list(outputs)
    while stack:
        tensor = stack.pop()
        if tensor.name not in seen:
            seen.add(tensor.name)
            stack += tensor.op.inputs
    return seen
