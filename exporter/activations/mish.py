"""Mish, in a form that keeps its tails in every runtime."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.activations._floats import as_float, without_negative_infinity
from exporter.registration import serializable


@serializable("mish", by_name_in=keras.activations)
def mish(x: Any) -> Any:
    """Compute x · tanh(softplus(x)), where softplus(x) = log(1 + eˣ).

    Smooth and not monotonic: the minimum is -0.3088 at x = -1.1924. The limits are 0 at -Inf and Inf at Inf.

    Softplus is not computed: runtimes take log(1 + eˣ) literally, which is 0 at -20 and Inf at 89. Instead

        tanh(log(1 + eˣ)) = ((1 + eˣ)² - 1) / ((1 + eˣ)² + 1) = p·(p + 2q) / (p·(p + 2q) + 2q²),   eˣ = p/q,

    with p = exp(min(x, 0)) and q = exp(-max(x, 0)). Neither exceeds 1, so nothing overflows, not even in float16, and
    one of them carries the tail, so that values and gradients stay precise on both sides.

    Args:
        x: a tensor of any shape. Integers are computed in `floatx`.

    Returns:
        A tensor of the shape of `x`, and of its dtype if that is a float.

    Reference: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", https://arxiv.org/abs/1908.08681
    """
    x = as_float(x)
    p = ops.exp(ops.minimum(x, 0.0))
    q = ops.exp(-ops.maximum(x, 0.0))
    rise = p * (p + 2.0 * q)
    return without_negative_infinity(x) * (rise / (rise + 2.0 * q * q))
