"""Swish with the piecewise linear sigmoid."""

from __future__ import annotations

from typing import Any

import keras

from exporter.activations._floats import as_float, without_negative_infinity
from exporter.activations.hard_sigmoid import hard_sigmoid
from exporter.authoring.registration import serializable


@serializable("hard_swish", by_name_in=keras.activations)
def hard_swish(x: Any, slope: float = 0.2, offset: float = 0.5) -> Any:
    """Compute x · hard_sigmoid(x): 0 below the lower knot, x above the upper one, a parabola between.

    The slope is 0.2 by default, as in this package's `hard_sigmoid`. MobileNetV3 and Keras 3's own `hard_swish`
    have `slope=1 / 6`. The limits are 0 at -Inf and Inf at Inf.

    Args:
        x: a tensor of any shape. Integers are computed in `floatx`.
        slope: the slope of the sigmoid between its knots; positive.
        offset: the value of the sigmoid at 0.

    Returns:
        A tensor of the shape of `x`, and of its dtype if that is a float.

    Reference: Howard et al., "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244
    """
    x = as_float(x)
    return without_negative_infinity(x) * hard_sigmoid(x, slope, offset)
