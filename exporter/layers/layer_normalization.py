"""Layer normalization: every sample to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from keras import ops

from exporter.authoring import arguments
from exporter.authoring.registration import serializable
from exporter.layers._normalization import AxisNormalization
from exporter.layers._shape import Shape
from exporter.layers._standardize import to_unit_variance


@serializable("LayerNormalization")
class LayerNormalization(AxisNormalization):
    """Computes gamma · (x - mean) / sqrt(variance + ε) + beta, mean and variance taken along `axis` for each sample.

    Unlike the textbook formula it is right in float32 for near-constant rows (1000 ± 1e-4), whose spread is lost in the
    rounding of the mean, and for rows up to the largest float, whose squares overflow. A constant row gives beta.

    Args:
        axis: the axis or axes to normalize along; their sizes must be fixed.
        epsilon: ε, above 0; added to the variance.
        center: whether there is an offset beta (zeros at first), of the shape of the axes.
        scale: whether there is a factor gamma (ones at first), of the shape of the axes.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if `epsilon` is not above 0, or the axes are not all different, of fixed size, and of the input.

    Reference: Ba, Kiros, Hinton, "Layer Normalization", https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis: int | list[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(axis, epsilon, scale, **kwargs)
        self.center = arguments.flag("LayerNormalization", "center", center)
        self.beta: Any = None

    def build(self, input_shape: Shape) -> None:
        """Create gamma and beta, whose shape is that of the normalized axes."""
        super().build(input_shape)
        if self.center:
            self.beta = self._add_row_weight("beta", self._row_shape(input_shape), "zeros")

    def call(self, inputs: Any) -> Any:
        """Normalize; the output has the shape of the input and the compute dtype."""
        x = self._wide(inputs)
        x = to_unit_variance(x, self._axes(len(x.shape)), self._row_size(x), self.epsilon)
        if self.scale:
            x = x * self._along_axes(self.gamma, x)
        if self.center:
            x = x + self._along_axes(self.beta, x)
        return ops.cast(x, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "center": self.center}
