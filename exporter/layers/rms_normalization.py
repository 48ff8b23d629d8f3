"""RMS normalization: every sample to root mean square 1."""

from __future__ import annotations

from typing import Any

from keras import ops

from exporter.authoring.registration import serializable
from exporter.layers._normalization import AxisNormalization
from exporter.layers._standardize import to_unit_mean_square


@serializable("RMSNormalization")
class RMSNormalization(AxisNormalization):
    """Computes gamma · x / sqrt(mean(x²) + ε), the mean taken along `axis` for each sample.

    Right in float32 for rows up to the largest float, whose squares overflow in the textbook formula.

    Args:
        axis: the axis or axes to normalize along; their sizes must be fixed.
        epsilon: ε, above 0; added to the mean square.
        scale: whether there is a factor gamma (ones at first), of the shape of the axes.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if `epsilon` is not above 0, or the axes are not all different, of fixed size, and of the input.

    Reference: Zhang, Sennrich, "Root Mean Square Layer Normalization", https://arxiv.org/abs/1910.07467
    """

    def __init__(self, axis: int | list[int] = -1, epsilon: float = 1e-6, scale: bool = True, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, scale, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Normalize; the output has the shape of the input and the compute dtype."""
        x = self._wide(inputs)
        x = to_unit_mean_square(x, self._axes(len(x.shape)), self.epsilon)
        if self.scale:
            x = x * self._along_axes(self.gamma, x)
        return ops.cast(x, self.compute_dtype)
