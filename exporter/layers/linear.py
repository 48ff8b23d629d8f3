"""The textbook layer x·w + b."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.authoring import arguments
from exporter.authoring.registration import serializable
from exporter.layers._shape import Shape


@serializable("Linear")
class Linear(keras.Layer):
    """Computes x·w + b along the last axis.

    Weights: `w` of shape (features, units), from a normal distribution of deviation 0.05; `b` of shape (units,), zeros.

    Args:
        units: the size of the last axis of the output, at least 1.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if `units` is not an integer.
        ValueError: if `units` is below 1, or the input's last axis has no fixed size.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = arguments.integer("Linear", "units", units, at_least=1)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        """Create `w` and `b`."""
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"Linear: the last axis of an input of shape {tuple(input_shape)} has no fixed size; "
                "give it in the Input"
            )
        self.input_spec = keras.InputSpec(min_ndim=2, axes={-1: features})
        self.w = self.add_weight(name="w", shape=(features, self.units), initializer="random_normal")
        self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """(..., features) to (..., units)."""
        return ops.matmul(inputs, self.w) + self.b

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape with the last axis replaced by `units`."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "units": self.units}
