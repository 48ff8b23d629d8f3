"""ELiSH, the exponential linear sigmoid squashing function."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.activations._floats import as_float
from exporter.authoring.registration import serializable


@serializable("elish", by_name_in=keras.activations)
def elish(x: Any) -> Any:
    """Compute x · sigmoid(x) for x >= 0, and (eˣ - 1) · sigmoid(x) for x < 0.

    Both branches are one product, elu(x) · sigmoid(x): no `where`, hence no unused branch that overflows, and both
    factors are standard ops of ONNX and TFLite. The slope is 1/2 on both sides of 0.
    The limits are 0 at -Inf and Inf at Inf.

    Args:
        x: a tensor of any shape. Integers are computed in `floatx`.

    Returns:
        A tensor of the shape of `x`, and of its dtype if that is a float.

    Reference: Basirat, Roth, "The Quest for the Golden Activation Function", https://arxiv.org/abs/1808.00783
    """
    x = as_float(x)
    return ops.elu(x) * ops.sigmoid(x)
