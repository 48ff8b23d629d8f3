"""Faults that every format can have: in the constants of a file. What a format alone has stands in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Inject = Callable[[Path, Path], None]
Change = Callable[[np.ndarray, np.random.Generator], "np.ndarray | None"]


@dataclass(frozen=True)
class Fault:
    """One way in which a file can be wrong.

    Args:
        kind: of fault ("epsilon").
        where: which constant, node or layer.
        inject: reads the right file, writes the faulty one; both are paths.
    """

    kind: str
    where: str
    inject: Inject


class NotInjectedError(Exception):
    """The fault changes nothing in this file."""


def _one(array: np.ndarray, rng: np.random.Generator, change: Callable[[Any], Any]) -> np.ndarray | None:
    """Change one element that is not 0."""
    places = np.flatnonzero(array)
    if array.size < 2 or not len(places):
        return None
    changed = array.copy()
    place = rng.choice(places)
    changed.flat[place] = change(changed.flat[place])
    return changed


def _channel(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    if array.ndim < 2 or array.shape[-1] < 2:
        return None
    changed = array.copy()
    changed[..., rng.integers(array.shape[-1])] *= 1.01
    return changed


def _swapped_channels(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    if array.ndim < 1 or array.shape[-1] < 2:
        return None
    first, second = rng.choice(array.shape[-1], 2, replace=False)
    changed = array.copy()
    changed[..., [first, second]] = array[..., [second, first]]
    return changed


def _transposed(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Transpose two neighbouring axes of one size: the kernel of a square dense layer, height and width of a convolution's."""
    pairs = [a for a in range(array.ndim - 1) if array.shape[a] == array.shape[a + 1] > 1]
    return np.ascontiguousarray(np.swapaxes(array, pairs[0], pairs[0] + 1)) if pairs else None


def _gates(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Swap two quarters (thirds) of an axis, as gates in another order do."""
    for axis in range(array.ndim):
        for parts in (4, 3):
            if array.ndim >= 2 and array.shape[axis] % parts == 0 and array.shape[axis] >= 2 * parts:
                blocks = np.split(array, parts, axis)
                return np.concatenate([blocks[1], blocks[0], *blocks[2:]], axis)
    return None


def _row(array: np.ndarray, rng: np.random.Generator, last: bool = False) -> np.ndarray | None:
    """Change one row of a table by a hundredth of what it holds."""
    if array.ndim != 2 or array.shape[0] < 16:
        return None
    changed = array.copy()
    changed[array.shape[0] - 1 if last else rng.integers(array.shape[0])] *= 1.01
    return changed


def _in_dtype(array: np.ndarray, dtype: Any) -> np.ndarray | None:
    return array.astype(dtype).astype(array.dtype) if array.size > 1 else None


def _bfloat16(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    import ml_dtypes

    return _in_dtype(array, ml_dtypes.bfloat16)


def _ulps(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    return (
        (array * (1 + rng.choice([-1, 1], array.shape) * 64 * 2.0**-23)).astype(array.dtype) if array.size > 1 else None
    )


def _eight_bits(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Round to 255 levels, as a quantization that nobody asked for."""
    if array.size < 8 or not (top := float(np.abs(array).max())):
        return None
    return (np.round(array / top * 127) / 127 * top).astype(array.dtype)


def _epsilon(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Take 1e-5 for 1e-3, and the like: a scalar that is small."""
    return array * np.float32(0.01) if array.size == 1 and 0 < float(array.ravel()[0]) < 0.02 else None


def _scalar(array: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Change a scalar by a thousandth: a slope, a temperature, a bound."""
    return array * np.float32(1.001) if array.size == 1 and abs(float(array.ravel()[0])) >= 0.02 else None


CHANGES: Mapping[str, Change] = {
    "one weight by 1e-3": lambda a, rng: _one(a, rng, lambda w: w * 1.001),
    "one weight by 1e-2": lambda a, rng: _one(a, rng, lambda w: w * 1.01),
    "one weight's sign": lambda a, rng: _one(a, rng, lambda w: -w),
    "one weight 0": lambda a, rng: _one(a, rng, lambda w: 0 * w),
    "one channel by 1e-2": _channel,
    "channels swapped": _swapped_channels,
    "bias dropped": lambda a, rng: np.zeros_like(a) if a.ndim == 1 and a.size > 1 and a.any() else None,
    "kernel transposed": _transposed,
    "gates in another order": _gates,
    "row of a table": _row,
    "last row of a table": lambda a, rng: _row(a, rng, last=True),
    "weights in float16": lambda a, rng: _in_dtype(a, np.float16),
    "weights in bfloat16": _bfloat16,
    "weights in 8 bits": _eight_bits,
    "weights off by 64 ulps": _ulps,
    "epsilon": _epsilon,
    "scalar by 1e-3": _scalar,
}

Named = Mapping[str, np.ndarray]


def constant_faults(arrays: Named, write: Callable[[Path, Path, str, np.ndarray], None], seed: int) -> Iterator[Fault]:
    """Yield a fault of each kind in each constant that can have it.

    Args:
        arrays: the file's float32 constants by name.
        write: copies a file, given both paths, a name and what the constant shall be.
        seed: of the places.
    """
    for number, (name, array) in enumerate(arrays.items()):
        for place, (kind, change) in enumerate(CHANGES.items()):
            with np.errstate(over="ignore"):
                changed = change(array, np.random.default_rng([seed, number, place]))
            if changed is None or np.array_equal(changed, array, equal_nan=True):
                continue
            value = np.asarray(changed, array.dtype)
            yield Fault(kind, name, lambda source, target, n=name, v=value: write(source, target, n, v))
