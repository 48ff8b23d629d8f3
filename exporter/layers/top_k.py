"""The k best classes, computed inside the exported file."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.authoring import arguments
from exporter.authoring.registration import serializable
from exporter.layers._shape import Shape


@serializable("TopK")
class TopK(keras.Layer):
    """Finds the `k` largest scores along the last axis and where they are.

    Returns a pair of tensors of shape (..., k): the scores in descending order, in the dtype of the input, and their
    int32 positions.

    Args:
        k: how many, at least 1.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if `k` is not an integer.
        ValueError: if `k` is below 1, or above the number of scores.
    """

    def __init__(self, k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.k = arguments.integer("TopK", "k", k, at_least=1)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        """Compare `k` with the number of scores."""
        scores = input_shape[-1]
        if scores is not None and self.k > scores:
            raise ValueError(
                f"TopK: `k` is {self.k}, but an input of shape {tuple(input_shape)} has {scores} scores "
                f"on its last axis; use a `k` of at most {scores}"
            )

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """(..., scores) to a pair of (..., k)."""
        scores, positions = ops.top_k(inputs, self.k, sorted=True)
        return scores, ops.cast(positions, "int32")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The input's mask, for each of the two outputs."""
        return None if previous_mask is None else (previous_mask, previous_mask)

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """The shape of the scores and that of the positions: the last axis becomes `k`."""
        shape = (*input_shape[:-1], self.k)
        return shape, shape

    def compute_output_spec(self, inputs: Any) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Scores in the dtype of the input, positions in int32."""
        scores, positions = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(scores, dtype=inputs.dtype), keras.KerasTensor(positions, dtype="int32")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "k": self.k}
