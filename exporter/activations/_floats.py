"""What the activations need to know about floating-point numbers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

_LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
    "float64": 1.7976931348623157e308,
}


def as_float(x: Any) -> Any:
    """A tensor of a float dtype: floats as they are, everything else in `keras.config.floatx()`."""
    if not keras.utils.is_keras_tensor(x):
        x = ops.convert_to_tensor(x)
    return x if keras.backend.is_float_dtype(x.dtype) else ops.cast(x, keras.config.floatx())


def largest(x: Any) -> float:
    """The largest finite number of the dtype of `x`."""
    return _LARGEST[keras.utils.standardize_dtype(x.dtype)]


def without_negative_infinity(x: Any) -> Any:
    """-Inf becomes the lowest finite number: times a factor that vanishes it is 0 (the limit) instead of NaN."""
    return ops.maximum(x, -largest(x))
