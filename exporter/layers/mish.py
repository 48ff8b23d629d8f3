"""The layer x · tanh(softplus(x))."""

from __future__ import annotations

from typing import Any

from exporter.activations.mish import mish
from exporter.authoring.registration import serializable
from exporter.layers._elementwise import Elementwise


@serializable("Mish")
class Mish(Elementwise):
    """Computes x · tanh(softplus(x)); see `exporter.activations.mish`.

    Args:
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.
    """

    def call(self, inputs: Any) -> Any:
        """Apply the activation to every element."""
        return mish(inputs)
