"""The layer max(0, min(1, slope · x + offset))."""

from __future__ import annotations

from typing import Any

from exporter.activations.hard_sigmoid import hard_sigmoid
from exporter.authoring import arguments
from exporter.authoring.registration import serializable
from exporter.layers._elementwise import Elementwise


@serializable("HardSigmoid")
class HardSigmoid(Elementwise):
    """Computes max(0, min(1, slope · x + offset)); see `exporter.activations.hard_sigmoid`.

    Keras 3's own `hard_sigmoid` has slope 1/6; the slope of 0.2 here is that of Keras 2.

    Args:
        slope: the derivative between the knots; a number above 0.
        offset: the value at 0; a finite number.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if `slope` or `offset` is not a number.
        ValueError: if `slope` is not above 0, or one of them is not finite.
    """

    def __init__(self, slope: float = 0.2, offset: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slope = arguments.number("HardSigmoid", "slope", slope, above=0.0)
        self.offset = arguments.number("HardSigmoid", "offset", offset)

    def call(self, inputs: Any) -> Any:
        """Apply the activation to every element."""
        return hard_sigmoid(inputs, self.slope, self.offset)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "slope": self.slope, "offset": self.offset}
