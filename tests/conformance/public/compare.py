"""Comparison against float64, element by element where that is fair, by row where a row shares one scale."""

from __future__ import annotations

import numpy as np

Array = np.ndarray

EPSILON = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7, "float64": 2.0**-52}
ULPS = 16  # units in the last place, the constant of the parity rule: max|y - r64| <= 16 eps S
LEAST = 1.2e-38  # the least normal float32: what is smaller counts as zero, for backends flush it


def assert_within(actual: Array, low: Array, high: Array, tolerance: Array) -> None:
    """`actual` lies in [low - tolerance, high + tolerance], with NaN and Inf (sign included) at the same places."""
    actual = np.asarray(actual, "float64")
    assert actual.shape == low.shape, f"shape {actual.shape} instead of {low.shape}"
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(low), "NaN at other places than the reference")
    for infinity in (np.inf, -np.inf):
        np.testing.assert_array_equal(actual == infinity, low == infinity, f"{infinity} at other places")
    finite = np.isfinite(low)
    actual, low, high, tolerance = (np.where(finite, values, 0.0) for values in (actual, low, high, tolerance))
    excess = np.maximum(low - actual, actual - high)
    worst = np.where(excess > tolerance, excess / np.maximum(tolerance, LEAST), 0)
    if worst.any():
        at = np.unravel_index(worst.argmax(), worst.shape)
        raise AssertionError(
            f"at {at}: {actual[at]:.9g} is {worst[at]:.3g} tolerances off [{low[at]:.9g}, {high[at]:.9g}]; "
            f"{np.count_nonzero(worst)} of {worst.size} elements are off"
        )


def per_element(reference: Array, dtype: str = "float32", absolute: float = LEAST) -> Array:
    """The tolerance relative to each element, and an absolute one."""
    return ULPS * EPSILON[dtype] * np.abs(reference) + absolute


def per_row(reference: Array, dtype: str = "float32", absolute: float = LEAST) -> Array:
    """The tolerance relative to the largest finite element of each sample, and an absolute one."""
    size = np.abs(np.where(np.isfinite(reference), reference, 0))
    scale = size.max(axis=tuple(range(1, size.ndim)), keepdims=True, initial=0)
    return np.broadcast_to(ULPS * EPSILON[dtype] * scale + absolute, reference.shape)


def representable(values: Array, dtype: str = "float32") -> Array:
    """float64 values with those beyond the largest number of `dtype` turned into Inf, as rounding does."""
    largest = {"float32": 3.4028235677973366e38, "float16": 65520.0, "bfloat16": 3.3961775292304957e38}[dtype]
    return np.where(np.abs(values) >= largest, np.copysign(np.inf, values), values)
