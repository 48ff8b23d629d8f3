"""The piecewise linear sigmoid, with its slope stated."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.activations._floats import as_float
from exporter.authoring.registration import serializable


@serializable("hard_sigmoid", by_name_in=keras.activations)
def hard_sigmoid(x: Any, slope: float = 0.2, offset: float = 0.5) -> Any:
    """Compute max(0, min(1, slope · x + offset)).

    Slope 0.2 is that of Keras 1 and 2, Theano and ONNX's default. Keras 3's own `hard_sigmoid` has slope 1/6
    (like PyTorch and MobileNetV3) and differs from this one by up to 0.083; pass `slope=1 / 6` for that.

    Args:
        x: a tensor of any shape. Integers are computed in `floatx`.
        slope: the derivative between the knots; positive.
        offset: the value at 0.

    Returns:
        A tensor of the shape of `x`, and of its dtype if that is a float.

    Reference: Courbariaux, Bengio, David, "BinaryConnect", https://arxiv.org/abs/1511.00363
    """
    return ops.clip(slope * as_float(x) + offset, 0.0, 1.0)
