"""The arithmetic of normalization, right for rows of any float: tiny, huge, or all but constant.

The textbook formula fails in float32 on three kinds of rows, each of which has a remedy here:

* near-constant rows (1000, 1000.0001, ...): the mean is off by its rounding error, which can exceed the spread of the
  row. So the row is shifted by a number near its mean first, and the mean of what is left is taken.
* huge rows (1e30): squares overflow. So the row is divided by its largest magnitude.
* rows near the end of the range (3.4e38): the sum overflows. So the row is multiplied by a power of two, which is exact;
  it leaves so much room that the reciprocal of a magnitude is normal too (compilers divide by multiplying with it).

The result depends neither on the shift nor on the divisor, so no gradient flows through them.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from exporter.activations._floats import largest

_ROOM = 2.0**-4


def to_unit_variance(x: Any, axes: list[int], size: int, epsilon: float) -> Any:
    """Compute (x - mean) / sqrt(variance + ε), mean and variance taken over `axes`.

    Args:
        x: a float32 or float64 tensor.
        axes: the axes that make up a row.
        size: how many elements a row has.
        epsilon: ε, above 0.
    """
    shrink = _ROOM * 2.0 ** -(size - 1).bit_length()  # the second factor is at most 1 / size: the sum stays in range
    x = x * shrink
    # `initial` because TensorFlow refuses the extremes of an empty batch without it.
    low = ops.min(x, axis=axes, keepdims=True, initial=largest(x))
    high = ops.max(x, axis=axes, keepdims=True, initial=-largest(x))
    # Rounding can put the mean of equal numbers beside them; held between the extremes, it leaves exact zeros.
    shift = ops.stop_gradient(ops.minimum(ops.maximum(_mean(x, axes), low), high))
    magnitude = ops.maximum(high - shift, shift - low)
    shifted = x - shift
    return _over_root_mean_square(shifted - _mean(shifted, axes), magnitude, axes, epsilon, unit=shrink)


def to_unit_mean_square(x: Any, axes: list[int], epsilon: float) -> Any:
    """Compute x / sqrt(mean(x²) + ε), the mean taken over `axes`.

    Args:
        x: a float32 or float64 tensor.
        axes: the axes that make up a row.
        epsilon: ε, above 0.
    """
    x = x * _ROOM
    magnitude = ops.max(ops.abs(x), axis=axes, keepdims=True, initial=0.0)
    return _over_root_mean_square(x, magnitude, axes, epsilon, unit=_ROOM)


def _over_root_mean_square(x: Any, magnitude: Any, axes: list[int], epsilon: float, unit: float) -> Any:
    """Compute x / sqrt(mean(x²) + ε·unit²) where no |x| exceeds `magnitude` by much; `unit` is what 1 was scaled to."""
    # At least the unit, so that ε / divisor² stays in range; finite, so that an Inf acts as in the formula.
    divisor = ops.stop_gradient(ops.minimum(ops.maximum(magnitude, unit), _ROOM * largest(x)))
    x = x / divisor
    return x / ops.sqrt(_mean(ops.square(x), axes) + epsilon * ops.square(unit / divisor))


def _mean(x: Any, axes: list[int]) -> Any:
    return ops.mean(x, axis=axes, keepdims=True)
