"""Einstein sums with an index named twice in one factor: that factor's diagonal first; the converter knows the rest."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("Einsum")
def einsum(op: Any, *factors: Any) -> Any:
    """Return the sum of products; an equation that names no index twice is left to the converter."""
    terms, result = op.get_attr("equation").decode().split("->")
    indices = [_indices(term, x.shape.rank) for term, x in zip(terms.split(","), factors, strict=True)]
    if not any(_repeated(names) for names in indices):
        return NotImplemented
    diagonals = [_diagonal(x, names) for x, names in zip(factors, indices, strict=True)]
    if any(x is None for x, _ in diagonals):
        return NotImplemented
    if len(diagonals) == 1:
        return _arranged(*diagonals[0], result)
    written = ",".join("".join("..." if n == "." else n for n, _ in groupby(names)) for _, names in diagonals)
    return tf.einsum(f"{written}->{result}", *(x for x, _ in diagonals))


def _arranged(x: Any, names: list[str], result: str) -> Any:
    """Return x summed over the indices that the result does not name, the others in its order."""
    kept = [a for a, n in enumerate(names) if n == "." or n in result]
    x = tf.reduce_sum(x, [a for a in range(len(names)) if a not in kept])
    left = [names[a] for a in kept]
    order = [left.index(n) for n in result.partition("...")[0]]
    order += [a for a, n in enumerate(left) if n == "."]
    order += [left.index(n) for n in result.partition("...")[2]]
    return tf.transpose(x, order)


def _indices(term: str, rank: int) -> list[str]:
    """Return the name of each axis, "." for those of the ellipsis."""
    return list(term.replace("...", "." * (rank - len(term.replace("...", "")))))


def _repeated(names: list[str]) -> str | None:
    return next((n for n in names if n != "." and names.count(n) > 1), None)


def _diagonal(x: Any, names: list[str]) -> tuple[Any, list[str]]:
    """Return x with the diagonal in place of every two axes of one name, as a last axis; None if a size is not known."""
    while name := _repeated(names):
        first = names.index(name)
        second = names.index(name, first + 1)
        size = x.shape[first]
        if size is None or size != x.shape[second]:
            return None, names
        rest = [a for a in range(len(names)) if a not in (first, second)]
        x = tf.transpose(x, [*rest, first, second])
        x = tf.reshape(x, tf.concat([tf.shape(x)[:-2], [size * size]], 0))
        x = tf.gather(x, np.arange(size, dtype=np.int32) * (size + 1), axis=-1)
        names = [*(names[a] for a in rest), name]
    return x, names
