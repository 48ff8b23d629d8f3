"""Measure Keras's own rounding error E well, also where an output has few elements.

The error of a single element is a matter of luck: it may be near 0 where the sum behind it cancels, and a right file is
then further off than any multiple of it. So inputs are jittered, by far more than a rounding and far less than what
would change the model's behaviour: each copy rounds differently under the same conditions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

ENOUGH = 64  # elements; the largest of so many errors is a fair measure of their spread
MOST_COPIES = 32
JITTER = 2.0**-14  # relative; 512 steps of float32


def copies_needed(outputs: Mapping[str, np.ndarray]) -> int:
    """Return how many jittered copies of the inputs give every output `ENOUGH` elements."""
    smallest = min((a.size for a in outputs.values() if a.size), default=ENOUGH)
    return min(MOST_COPIES, -(-ENOUGH // smallest) - 1)


def jittered(
    arrays: Mapping[str, np.ndarray], copies: int, batched: frozenset[str], indices: frozenset[str]
) -> dict[str, np.ndarray]:
    """Return `copies` altered copies of the inputs, joined along the batch.

    Floats change by about `JITTER` of themselves, bytes by one step; zeros stay zeros (they may be masks). Indices are
    shuffled over the whole array. Anything else stays as it is.

    Args:
        arrays: inputs by name.
        copies: how many.
        batched: names of the inputs that have one entry per row; the others are altered, not multiplied.
        indices: names of the inputs that hold indices, whatever their dtype.
    """
    rng = np.random.default_rng(0)
    return {
        name: np.concatenate([_altered(a, name in indices, rng) for _ in range(copies if name in batched else 1)])
        if a.ndim
        else a
        for name, a in arrays.items()
    }


def _altered(array: np.ndarray, is_index: bool, rng: np.random.Generator) -> np.ndarray:
    if is_index:
        return rng.permutation(array.ravel()).reshape(array.shape)
    if array.dtype == np.uint8:
        step = rng.integers(-1, 2, array.shape)
        return np.where(array > 0, np.clip(array + step, 1, 255), array).astype(np.uint8)
    if array.dtype.kind != "f":
        return array
    size = max(JITTER, 4 * float(np.finfo(array.dtype).eps))
    return (array * (1 + size * rng.standard_normal(array.shape))).astype(array.dtype)
