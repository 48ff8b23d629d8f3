"""The decision of a classifier, made inside the exported file."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from exporter.authoring import arguments
from exporter.authoring.registration import serializable
from exporter.layers._shape import Shape

UNKNOWN = -1


@serializable("LabelScores")
class LabelScores(keras.Layer):
    """Picks the best class along the last axis, or none if its score is too low.

    Returns a pair of tensors of shape (...): the int32 label, which is the position of the largest score (the first of
    equals), or -1 if that score is below `threshold` or NaN; and the score itself, in the dtype of the input.

    Args:
        threshold: the lowest score that counts, a finite number; None accepts every score.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if `threshold` is neither a number nor None.
        ValueError: if `threshold` is not finite.
    """

    def __init__(self, threshold: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threshold = None if threshold is None else arguments.number("LabelScores", "threshold", threshold)
        self.supports_masking = True

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """(..., scores) to a pair of (...)."""
        scores, labels = (ops.squeeze(best, axis=-1) for best in ops.top_k(inputs, 1))
        labels = ops.cast(labels, "int32")
        if self.threshold is not None:
            accepted = ops.cast(scores >= self.threshold, "int32")
            labels = (labels - UNKNOWN) * accepted + UNKNOWN  # the label if accepted, else UNKNOWN
        return labels, scores

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The input's mask, for each of the two outputs."""
        return None if previous_mask is None else (previous_mask, previous_mask)

    def compute_output_shape(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """The shape of the labels and that of the scores: the last axis goes."""
        return input_shape[:-1], input_shape[:-1]

    def compute_output_spec(self, inputs: Any) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Labels in int32, scores in the dtype of the input."""
        labels, scores = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(labels, dtype="int32"), keras.KerasTensor(scores, dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "threshold": self.threshold}
