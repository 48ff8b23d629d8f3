"""Values that break things: the boundary ladder of floats, and the extremes of integers, also in pairs."""

from __future__ import annotations

import itertools

import numpy as np

SIZES = [0, 1e-37, 1e-7, 0.3, 0.5, 1, 1.5, 2, 3, 8, 17, 20, 50, 88, 89, 104, 1e3, 1e10, 1e30, 3.4e38, np.inf, np.nan]


def ladder(dtype: str = "float32") -> np.ndarray:
    """Return floats of every size and either sign, one column: none is denormal, TensorFlow takes those for 0."""
    sizes = [*SIZES, *([710, 1e300, 1.7e308] if dtype == "float64" else [])]
    return np.array([*sizes, *(-s for s in sizes)], dtype).reshape(-1, 1)


def integers(dtype: str) -> np.ndarray:
    """Return the extremes of an integer dtype and what lies beside 0, one column."""
    info = np.iinfo(dtype)
    numbers = [info.max, info.max - 1, info.max // 2, info.min, info.min + 1, 0, 1, 2, 3, 7, 10, 100]
    numbers += [] if info.min == 0 else [-1, -2, -3, -7, -10, -100]
    return np.array(numbers, dtype).reshape(-1, 1)


def pairs(column: np.ndarray, others: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return every pair of two columns, as two columns."""
    both = list(itertools.product(column[:, 0], (column if others is None else others)[:, 0]))
    return tuple(np.array(side, column.dtype).reshape(-1, 1) for side in zip(*both, strict=True))
