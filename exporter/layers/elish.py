"""The layer x · sigmoid(x) for x >= 0 and (eˣ - 1) · sigmoid(x) for x < 0."""

from __future__ import annotations

from typing import Any

from exporter.activations.elish import elish
from exporter.authoring.registration import serializable
from exporter.layers._elementwise import Elementwise


@serializable("ELiSH")
class ELiSH(Elementwise):
    """Computes x · sigmoid(x) for x >= 0 and (eˣ - 1) · sigmoid(x) for x < 0; see `exporter.activations.elish`.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.
    """

    def call(self, inputs: Any) -> Any:
        """Apply the activation to every element."""
        return elish(inputs)
