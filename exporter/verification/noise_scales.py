"""How far rounding may move the results of an op, in units of eps, and the moving itself. NumPy only: it runs inside a graph.

`rounding_noise` says which of these belongs to which op, and why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

STEPS: Mapping[str, float] = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
"""eps: relative distance of neighbouring numbers, by dtype."""

_SHORT = 2.0**8  # a number is short that is a whole number of 1 / 256 below 256, or a whole number below 65536

Scale = Callable[..., np.ndarray | None]
"""What the error of each number is a part of, in units of eps; None where all of them are exact."""


class Mover:
    """Moves the results of one op; equal seeds give equal draws, in whatever order the ops run.

    Args:
        seed: tells one op from another.
        amplitude: how many times as far as rounding the results are moved.
        scale: what the error of each is a part of.
        limits: beyond which no runtime's kernel goes.
    """

    def __init__(self, seed: int, amplitude: float, scale: Scale, limits: tuple[float, float] | None = None) -> None:
        self._seed, self._amplitude, self._scale, self._limits = seed, amplitude, scale, limits
        self._calls = 0
        self.__name__ = "move"

    def __call__(self, exact: np.ndarray, *given: np.ndarray) -> np.ndarray:
        """Return the results, moved; `given` is what the scale follows from beside them."""
        self._calls += 1
        if not exact.size:
            return exact
        scale = self._scale(exact, *given)
        if scale is None:
            return exact
        if not np.iscomplexobj(exact):
            return self._move(exact, scale)
        moved = self._move(exact.real, scale) + 1j * self._move(exact.imag, scale)
        return moved.astype(exact.dtype)

    def _move(self, exact: np.ndarray, scale: np.ndarray) -> np.ndarray:
        noise = self._noise(exact.size).reshape(exact.shape)
        with np.errstate(all="ignore"):
            moved = exact + (self._amplitude * STEPS[exact.dtype.name]) * noise * scale
        if self._limits is not None:
            moved = np.clip(moved, *self._limits)
        if not np.isfinite(moved).all():
            moved = np.where(np.isfinite(moved), moved, exact)
        return moved.astype(exact.dtype, copy=False)

    def _noise(self, size: int) -> np.ndarray:
        """Return numbers from -1 to 1: a table from a place of this draw on, since drawing afresh takes ten times as long."""
        table = _uniform_table()
        start = (self._seed * 7919 + self._calls * 104729) % len(table)
        if start + size <= len(table):
            return table[start : start + size]
        return np.resize(np.concatenate([table[start:], table[:start]]), size)


@cache
def _uniform_table() -> np.ndarray:
    """Return random numbers from -1 to 1; their count is a prime, so that no size of a tensor is in step with it."""
    return np.random.default_rng(0).uniform(-1, 1, 1_000_003).astype(np.float32)


def own_scale(exact: np.ndarray) -> np.ndarray:
    """Return |y|, 0 where the number is short."""
    magnitude = np.abs(exact)
    return magnitude * ~_short(exact, magnitude)


def at_least_one(exact: np.ndarray) -> np.ndarray:
    """Return |y|, at least 1."""
    return np.maximum(np.abs(exact), 1)


def tied_scale(scores: np.ndarray) -> np.ndarray:
    """Return |x|, and a little more, so that zeros tie no longer."""
    return np.abs(scores) + np.finfo(np.float32).tiny


def matrix_scale(matrices: np.ndarray) -> np.ndarray:
    """Return the largest entry of each matrix."""
    axes = tuple(range(max(0, matrices.ndim - 2), matrices.ndim))
    return np.broadcast_to(np.max(np.abs(matrices), axis=axes, keepdims=True, initial=0), matrices.shape)


def spectrum_scale(kind: str, spectrum: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the sum of |x| over the axes of a Fourier transform, over their size where it is an inverse one."""
    axes = tuple(range(-int(kind[-2]), 0)) if kind.endswith("D") else (-1,)
    total = (np.mean if kind.startswith("I") else np.sum)(np.abs(x), axis=axes, keepdims=True)
    return np.broadcast_to(total, spectrum.shape)


def product_scale(
    reach: float, partial_sums: float, total: np.ndarray, absolute: np.ndarray, *factors: np.ndarray
) -> np.ndarray | None:
    """Return the scale of sums of products: of their absolute values, or of their partial sums."""
    if all(_all_short(factor) for factor in factors):
        return None
    return np.maximum(np.abs(absolute) * reach, np.abs(total) * partial_sums)


def sum_scale(
    kind: str, total: np.ndarray, absolute: np.ndarray, terms: np.ndarray, axes: np.ndarray
) -> np.ndarray | None:
    """Return the scale of sums or means: of roundings by chance, or of those that adding one by one really makes."""
    if _all_short(terms):
        return None
    count = terms.size / max(total.size, 1)
    by_chance = absolute * max(math.sqrt(count) / 3, 1)
    in_turn = np.abs(_added_in_turn(kind, terms, axes).reshape(total.shape) - total)
    return np.maximum(by_chance, in_turn / STEPS[total.dtype.name])


def _added_in_turn(kind: str, terms: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return the sum or mean of terms that are added one after the other, in their own precision."""
    reduced = sorted({int(axis) % terms.ndim for axis in np.atleast_1d(axes)}) if terms.ndim else []
    if not reduced:
        return terms
    kept = [axis for axis in range(terms.ndim) if axis not in reduced]
    rows = terms.transpose(kept + reduced).reshape(*(terms.shape[axis] for axis in kept), -1)
    if not rows.shape[-1]:
        return rows.sum(-1)
    total = np.add.accumulate(rows, axis=-1)[..., -1]
    return total / np.asarray(rows.shape[-1], total.dtype) if kind == "Mean" else total


def _short(x: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    parts = x * _SHORT
    return (parts == np.rint(parts)) & ((magnitude < _SHORT) | ((x == np.rint(x)) & (magnitude < _SHORT**2)))


def _all_short(x: np.ndarray) -> bool:
    """Whether all numbers are short; most arrays show at their beginning that they are not."""
    beginning = x.reshape(-1)[:64]
    return not np.iscomplexobj(x) and bool(_short(beginning, np.abs(beginning)).all() and _short(x, np.abs(x)).all())
