"""What the tensors of a graph are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def ops_behind(tensors: Iterable[Any]) -> Iterator[Any]:
    """Yield each op of a graph that the tensors are computed from, once, those that make them first."""
    seen: set[str] = set()
    waiting = [t.op for t in tensors]
    while waiting:
        op = waiting.pop()
        if op.name not in seen:
            seen.add(op.name)
            yield op
            waiting += [t.op for t in op.inputs]


def tensors_behind(outputs: Iterable[Any]) -> set[str]:
    """Return the names of all tensors that the outputs are computed from, and their own."""
    outputs = list(outputs)
    return {t.name for t in outputs} | {t.name for op in ops_behind(outputs) for t in op.inputs}
