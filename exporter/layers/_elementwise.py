"""The base of layers that compute every element by itself."""

from __future__ import annotations

from typing import Any

import keras

from exporter.layers._shape import Shape


class Elementwise(keras.Layer):
    """A layer without weights whose output has the shape, and keeps the mask, of its input."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        return input_shape
