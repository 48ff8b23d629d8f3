"""Mish, in a form that keeps its tails."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.activations._floats import as_float, without_negative_infinity
from exporter.authoring.registration import serializable


@serializable("mish", by_name_in=keras.activations)
def mish(x: Any) -> Any:
    """Compute x · tanh(softplus(x)), where softplus(x) = log(1 + eˣ).

    Smooth and not monotonic: the minimum is -0.3088 at x = -1.1924. The limits are 0 at -Inf and Inf at Inf.

    Softplus is not computed, because some runtimes take log(1 + eˣ) literally: 0 at -20, Inf at 89. With the sigmoid
    s = eˣ / (1 + eˣ) and u = s·(2 - s),

        tanh(log(1 + eˣ)) = ((1 + eˣ)² - 1) / ((1 + eˣ)² + 1) = u / (2 - u).

    Both s and u lie between 0 and 1, so nothing overflows, not even in float16, and they carry the tail: values and
    gradients are precise on both sides.

    Args:
        x: a tensor of any shape. Integers are computed in `floatx`.

    Returns:
        A tensor of the shape of `x`, and of its dtype if that is a float.

    Reference: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", https://arxiv.org/abs/1908.08681
    """
    x = as_float(x)
    gate = ops.sigmoid(x)
    u = gate * (2.0 - gate)
    return without_negative_infinity(x) * (u / (2.0 - u))
