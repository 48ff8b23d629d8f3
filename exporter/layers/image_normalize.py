"""Image preprocessing that travels inside the exported file."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from exporter.authoring import arguments
from exporter.authoring.registration import serializable
from exporter.layers._elementwise import Elementwise
from exporter.layers._shape import Shape


@serializable("ImageNormalize")
class ImageNormalize(Elementwise):
    """Computes (scale · x - mean) / std of an image, mean and std per channel.

    Integers of any width (uint8 pixels) and floats are taken as they come, and the output is of the compute dtype.
    The arithmetic is done in float32 (float64 where that is the compute dtype), so that a float16 model sees pixels
    rounded once.

    Args:
        scale: the factor on the raw pixels, above 0; the default brings 0..255 to 0..1.
        mean: subtracted after scaling: a number, or one per channel.
        std: divided by after that, above 0: a number, or one per channel.
        data_format: "channels_last" (..., channels) or "channels_first" (batch, channels, ...);
            None is `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if a value is out of range, or `mean` or `std` has another length than the channel axis.
    """

    def __init__(
        self,
        scale: float = 1 / 255,
        mean: float | list[float] = 0.0,
        std: float | list[float] = 1.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        owner = "ImageNormalize"
        self.scale = arguments.number(owner, "scale", scale, above=0.0)
        self.mean = arguments.numbers(owner, "mean", mean)
        self.std = arguments.numbers(owner, "std", std, above=0.0)
        self.data_format = arguments.one_of(
            owner, "data_format", data_format or keras.config.image_data_format(), ("channels_last", "channels_first")
        )
        self.autocast = False

    def build(self, input_shape: Shape) -> None:
        """Compare the number of channels with the lengths of `mean` and `std`."""
        axis = self._channel_axis(len(input_shape))
        for name, values in (("mean", self.mean), ("std", self.std)):
            if not isinstance(values, float) and input_shape[axis] not in (len(values), None):
                raise ValueError(
                    f"ImageNormalize: `{name}` has {len(values)} values, but axis {axis} of an input of shape "
                    f"{tuple(input_shape)} has {input_shape[axis]} channels ({self.data_format})"
                )

    def call(self, inputs: Any) -> Any:
        """Normalize an image or a batch of images."""
        x = ops.cast(inputs, "float64" if self.compute_dtype == "float64" else "float32")
        # One multiplication and one addition: what a following convolution can absorb.
        factor, offset = self.scale / np.asarray(self.std), -np.asarray(self.mean) / np.asarray(self.std)
        x = x * self._per_channel(factor, x) + self._per_channel(offset, x)
        return ops.cast(x, self.compute_dtype)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        """The input's shape in the compute dtype."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mean": _plain(self.mean),
            "std": _plain(self.std),
            "data_format": self.data_format,
        }

    def _channel_axis(self, rank: int) -> int:
        return rank - 1 if self.data_format == "channels_last" else 1

    def _per_channel(self, values: np.ndarray, x: Any) -> Any:
        if values.ndim:
            shape = [1] * len(x.shape)
            shape[self._channel_axis(len(shape))] = values.size
            values = values.reshape(shape)
        return ops.convert_to_tensor(values, dtype=x.dtype)


def _plain(values: float | list[float]) -> float | list[float]:
    return values if isinstance(values, float) else list(values)
