"""What layer normalization and RMS normalization share: axes, ε, gamma, the precision."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from exporter.activations._floats import as_float
from exporter.authoring import arguments
from exporter.layers._shape import Shape


class AxisNormalization(keras.Layer):
    """A layer that brings every row, the elements along `axis`, to a common scale.

    Statistics are computed in float32 where the compute dtype is a 16-bit float, and in the compute dtype otherwise.
    """

    def __init__(self, axis: int | list[int], epsilon: float, scale: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.axis = arguments.integers(owner, "axis", axis)
        self.epsilon = arguments.number(owner, "epsilon", epsilon, above=0.0)
        self.scale = arguments.flag(owner, "scale", scale)
        self.gamma: Any = None
        self.autocast = False  # a float32 input of a float16 layer is better normalized before it is rounded
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        """Create gamma, whose shape is that of a row."""
        row = self._row_shape(input_shape)
        self.input_spec = keras.InputSpec(
            ndim=len(input_shape), axes=dict(zip(self._axes(len(input_shape)), row, strict=True))
        )
        if self.scale:
            self.gamma = self._add_row_weight("gamma", row, "ones")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape.

        Raises:
            ValueError: if `axis` does not fit the shape.
        """
        self._axes(len(input_shape))
        return input_shape

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        """The input's shape in the compute dtype."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        axis = self.axis if isinstance(self.axis, int) else list(self.axis)
        return {**super().get_config(), "axis": axis, "epsilon": self.epsilon, "scale": self.scale}

    def _wide(self, inputs: Any) -> Any:
        """The inputs in the dtype in which statistics are computed."""
        return ops.cast(as_float(inputs), "float64" if self.compute_dtype == "float64" else "float32")

    def _along_axes(self, weight: Any, like: Any) -> Any:
        """A weight of the shape of a row, shaped so that it broadcasts along the axes of `like`."""
        axes = self._axes(len(like.shape))
        shape = [like.shape[axis] if axis in axes else 1 for axis in range(len(like.shape))]
        return ops.cast(ops.reshape(weight, shape), like.dtype)

    def _add_row_weight(self, name: str, row: tuple[int, ...], initializer: str) -> Any:
        return self.add_weight(name=name, shape=row, initializer=initializer, autocast=False)

    def _row_shape(self, input_shape: Shape) -> tuple[int, ...]:
        row = tuple(input_shape[axis] for axis in self._axes(len(input_shape)))
        if None in row:
            raise ValueError(
                f"{type(self).__name__}: axis {self.axis} of an input of shape {tuple(input_shape)} has no fixed size; "
                "give the size in the Input, or normalize along another axis"
            )
        return tuple(size for size in row if size is not None)

    def _row_size(self, inputs: Any) -> int:
        return math.prod(self._row_shape(inputs.shape))

    def _axes(self, rank: int) -> list[int]:
        """The axes counted from 0, in ascending order."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        resolved = sorted(axis + rank if axis < 0 else axis for axis in axes)
        if resolved[0] < 0 or resolved[-1] >= rank or len(set(resolved)) < len(resolved):
            raise ValueError(
                f"{type(self).__name__}: `axis` {self.axis} does not fit an input of rank {rank}; "
                f"it takes different axes from {-rank} to {rank - 1}"
            )
        return resolved
