"""The two kinds of cases: functions of one number, and layers that mix the elements of a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from tests.conformance.public import ladder
from tests.conformance.public.compare import LEAST

Array = np.ndarray

# A sigmoid below the least normal float32 counts as zero; it is multiplied by an x of up to 104.
UNDERFLOW_OF_GATE = 128 * LEAST


@dataclass(frozen=True)
class Elementwise:
    """A function of one number, or the layer that applies it.

    Attributes:
        arguments: of the constructor, or keywords of the function.
        value: the function in float64.
        slope: its derivative in float64.
        knots: where the derivative jumps.
        absolute: the absolute error that the formula admits in float32, besides the relative one.
        dtype: of the inputs.
    """

    value: Callable[..., Array]
    slope: Callable[..., Array]
    arguments: dict[str, Any] = field(default_factory=dict)
    knots: tuple[float, ...] = (0.0,)
    absolute: float = UNDERFLOW_OF_GATE
    dtype: str = "float32"

    def sample(self) -> Array:
        """A batch of sequences (batch, time, features), as every layer must take it."""
        return 3 * np.random.default_rng(1).standard_normal((17, 5, 6)).astype("float32")

    def ladder(self) -> Array:
        return ladder.elements(self.knots)

    def expected(self, x: Array, weights: dict[str, Array]) -> tuple[Array, ...]:
        assert not weights
        return (self.value(x, **self.arguments),)


@dataclass(frozen=True)
class Rowwise:
    """A layer that mixes the elements of a row.

    Attributes:
        reference: (x, weights) to the outputs, in float64.
        pullback: (x, weights, gradient of the first float output) to the gradients of x and the weights.
        shape: of one sample on the ladder.
        arguments: of the constructor.
        sorts: whether elements are put in order: NaN, and numbers that only count as zero, have no place in it.
        dtype: of the inputs.
        float_output: which output carries gradients.
        absolute: the absolute error that the formula admits in float32, besides the one relative to the row.
    """

    reference: Callable[..., tuple[Array, ...]]
    pullback: Callable[..., tuple[Array, dict[str, Array]]] | None
    shape: tuple[int, ...] = (12,)
    arguments: dict[str, Any] = field(default_factory=dict)
    sorts: bool = False
    dtype: str = "float32"
    float_output: int = 0
    absolute: float = LEAST

    def sample(self) -> Array:
        generator = np.random.default_rng(2)
        if self.dtype == "uint8":
            return generator.integers(0, 256, (17, 5, 6), dtype="uint8")
        return generator.standard_normal((17, 5, 6)).astype("float32")

    def ladder(self) -> Array:
        if self.dtype == "uint8":
            return np.arange(256, dtype="uint8").reshape(-1, *self.shape)
        rows = ladder.rows(math.prod(self.shape))
        if self.sorts:
            rows = rows[~(np.isnan(rows) | ((rows != 0) & (np.abs(rows) < LEAST))).any(-1)]
            rows += 0.0  # no -0, which JAX sorts below 0
            if keras.config.backend() == "torch":  # the order of equal numbers is not defined there
                rows = rows[[len(set(row)) == row.size for row in rows]]
        return rows.reshape(-1, *self.shape)

    def expected(self, x: Array, weights: dict[str, Array]) -> tuple[Array, ...]:
        return self.reference(x, weights)


Case = Elementwise | Rowwise
