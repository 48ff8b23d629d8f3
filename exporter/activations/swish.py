"""Swish, also called SiLU for β = 1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.activations._floats import as_float, largest, without_negative_infinity
from exporter.authoring.registration import serializable


@serializable("swish", by_name_in=keras.activations)
def swish(x: Any, beta: float = 1.0) -> Any:
    """Compute x · sigmoid(β·x).

    Smooth and not monotonic: for β = 1 the minimum is -0.2785 at x = -1.2785. β = 0 gives x/2, β → ∞ tends to ReLU.
    At ±Inf the result is the limit: for β > 0, 0 at -Inf and Inf at Inf.

    Args:
        x: a tensor of any shape. Integers are computed in `floatx`.
        beta: β, a finite Python number.

    Returns:
        A tensor of the shape of `x`, and of its dtype if that is a float.

    Reference: Ramachandran, Zoph, Le, "Searching for Activation Functions", https://arxiv.org/abs/1710.05941
    """
    x = as_float(x)
    return _finite_where_gate_closes(x, beta) * ops.sigmoid(x if beta == 1 else beta * x)


def _finite_where_gate_closes(x: Any, beta: float) -> Any:
    if beta == 0:  # the gate stays half open on both sides
        return x
    return without_negative_infinity(x) if beta > 0 else ops.minimum(x, largest(x))
