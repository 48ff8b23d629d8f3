"""A layer of Keras that may do what a Lambda does, guessed from the names its code uses."""

from __future__ import annotations

from types import CodeType
from typing import Any

_LAYERS = {
    "l2_normalize": "keras.layers.UnitNormalization",
    "norm": "keras.layers.UnitNormalization",
    "resize": "keras.layers.Resizing",
    "resize_images": "keras.layers.Resizing or UpSampling2D",
    "one_hot": "keras.layers.CategoryEncoding",
    "batch_dot": "keras.layers.Dot",
    "preprocess_input": "keras.layers.Rescaling or Normalization",
    "per_image_standardization": "keras.layers.Normalization",
    "random": "keras.layers.GaussianNoise or Dropout",
    "normal": "keras.layers.GaussianNoise",
    "random_normal": "keras.layers.GaussianNoise",
    "uniform": "keras.layers.Dropout",
    "dropout": "keras.layers.Dropout",
    "shape": "keras.layers.Reshape or Flatten",
}


def suggestion(function: Any) -> str:
    """Return a sentence that names a layer, or an empty text."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    known = [name for name in code.co_names if name in _LAYERS]
    if known:
        return f"see whether {_LAYERS[known[0]]} does what it does"
    numbers = [constant for constant in code.co_consts if isinstance(constant, float | int)]
    return "see whether keras.layers.Rescaling does what it does" if {255, 127.5} & set(numbers) else ""
