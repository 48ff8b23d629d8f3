"""The arithmetic of normalization, right for rows of any float: tiny, huge, or all but constant.

The textbook formula fails in float32 on three kinds of rows, each of which has a remedy here:

* near-constant rows (1000, 1000.0001, ...): the mean is off by its rounding error, which can exceed the spread of the
  row. What is left of the mean after subtracting it is subtracted once more.
* huge rows (1e30): squares overflow. They are divided by the row's largest magnitude first; the result does not depend
  on that divisor, so no gradient flows through it.
* rows near the end of the range (3.4e38): the sum overflows. They are shrunk by a power of two, which is exact.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from exporter.activations._floats import largest


def to_unit_variance(x: Any, axes: list[int], size: int, epsilon: float) -> Any:
    """Compute (x - mean) / sqrt(variance + ε), mean and variance taken over `axes`.

    Args:
        x: a float32 or float64 tensor.
        axes: the axes that make up a row.
        size: how many elements a row has.
        epsilon: ε, above 0.
    """
    shrink = 2.0 ** -(2 * size - 1).bit_length()  # the power of two at or below 1 / (2 · size): the sum stays in range
    return to_unit_mean_square(_centred(_centred(x * shrink, axes), axes), axes, epsilon, unit=shrink)


def to_unit_mean_square(x: Any, axes: list[int], epsilon: float, unit: float = 1.0) -> Any:
    """Compute x / sqrt(mean(x²) + ε·unit²), the mean taken over `axes`.

    Args:
        x: a float32 or float64 tensor.
        axes: the axes that make up a row.
        epsilon: ε, above 0, of the dimension of x² / unit².
        unit: what 1 has become where `x` was scaled.
    """
    magnitude = ops.max(ops.abs(x), axis=axes, keepdims=True)
    # At least the unit, so that ε is never blown up; finite, so that an Inf acts as in the formula.
    divisor = ops.stop_gradient(ops.minimum(ops.maximum(magnitude, unit), largest(x)))
    scaled = x / divisor
    mean_square = ops.mean(ops.square(scaled), axis=axes, keepdims=True)
    return scaled / ops.sqrt(mean_square + epsilon * ops.square(unit / divisor))


def _centred(x: Any, axes: list[int]) -> Any:
    return x - ops.mean(x, axis=axes, keepdims=True)
