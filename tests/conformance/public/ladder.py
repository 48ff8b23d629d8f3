"""Inputs at which careless formulas break: the boundary ladder."""

from __future__ import annotations

import numpy as np

MAGNITUDES = (1e-3, 1.0, 17.0, 20.0, 50.0, 88.0, 89.0, 104.0, 1e3, 1e10, 1e30, 3.4e38)
DENORMALS = (1e-45, 1e-40, 1.1e-38)
NOT_FINITE = (np.nan, np.inf, -np.inf)


def elements(knots: tuple[float, ...] = ()) -> np.ndarray:
    """The ladder as a float32 column, with each knot of the function and its neighbours ±1 ULP."""
    positive = np.array([*MAGNITUDES, *DENORMALS, 0.0, np.finfo("float32").max, np.finfo("float32").tiny], "float32")
    at_knots = np.array(knots, "float32")
    below, above = (np.nextafter(at_knots, np.float32(towards)) for towards in (-np.inf, np.inf))
    smooth = np.linspace(-12, 12, 97, dtype="float32")
    limits = np.array(NOT_FINITE, "float32")
    return np.concatenate([positive, -positive, below, at_knots, above, smooth, limits])[:, None]


def rows(size: int) -> np.ndarray:
    """Float32 rows of `size` numbers: normal, constant, near-constant, mixed magnitudes, not finite."""
    generator = np.random.default_rng(20)
    normal = generator.standard_normal((8, size))
    magnitudes = np.array([*MAGNITUDES, *DENORMALS, 0.0])[:, None]
    signs = np.where(np.arange(size) % 3 == 1, -1.0, 1.0)
    constant = np.concatenate([magnitudes, -magnitudes]) * np.ones(size)
    opposed = magnitudes * signs / (1 + np.arange(size) // 4)
    one_large = np.concatenate([np.roll(_first_is(value, normal[0]), 2) for value in magnitudes[:, 0]])
    finite = np.concatenate([normal, constant, opposed, one_large]).astype("float32")
    return np.concatenate([finite, _near_constant(size), *(_not_finite(value, normal[0]) for value in NOT_FINITE)])


def _first_is(value: float, row: np.ndarray) -> np.ndarray:
    return np.concatenate([[value], row[1:]])[None]


def _near_constant(size: int) -> np.ndarray:
    """Rows whose elements are at most three units in the last place apart."""
    levels = np.array([1e-3, 1.0, 1e3, 1e6, 1e15, 1e30, 1e38], "float32")[:, None]
    return levels + np.spacing(levels) * (np.arange(size) % 4).astype("float32")


def _not_finite(value: float, row: np.ndarray) -> np.ndarray:
    return np.concatenate([_first_is(value, row), np.full((1, row.size), value)]).astype("float32")
