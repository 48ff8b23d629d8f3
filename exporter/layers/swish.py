"""The layer x · sigmoid(β·x)."""

from __future__ import annotations

from typing import Any

from exporter.activations.swish import swish
from exporter.authoring import arguments
from exporter.authoring.registration import serializable
from exporter.layers._elementwise import Elementwise


@serializable("Swish")
class Swish(Elementwise):
    """Computes x · sigmoid(β·x); see `exporter.activations.swish`.

    Args:
        beta: β, a finite number; a constant, not trained.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if `beta` is not a number.
        ValueError: if `beta` is not finite.
    """

    def __init__(self, beta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.beta = arguments.number("Swish", "beta", beta)

    def call(self, inputs: Any) -> Any:
        """Apply the activation to every element."""
        return swish(inputs, self.beta)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "beta": self.beta}
