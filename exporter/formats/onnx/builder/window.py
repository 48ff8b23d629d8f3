"""Sliding windows of convolutions and pooling: their sizes, and Keras's padding in ONNX's numbers.

"same": as much padding as gives ceil(size / stride) windows, the odd one at the end. Where that depends on a size that is not
known while exporting, ONNX Runtime works it out (`auto_pad`); else the numbers are written, as every runtime knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exporter.formats.onnx.builder.value import Order, Shape, Value, channels_first, identity

Number = int | Sequence[int]


@dataclass(frozen=True)
class Window:
    """A window that slides over the spatial axes.

    Args:
        size: of the window.
        strides: from one window to the next.
        dilations: from one element of the window to the next.
        padding: "valid", "same", or "causal" (at the start only, so that no window looks ahead).
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: str

    @property
    def extent(self) -> tuple[int, ...]:
        """From the first to the last element of the window."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.size, self.dilations, strict=True))

    def places(self, sizes: Shape) -> Shape:
        """Return how many windows there are along each axis of an input of `sizes`."""
        return tuple(
            None if n is None else max(0, -(-(n if self.padding != "valid" else n - k + 1) // s))
            for n, k, s in zip(sizes, self.extent, self.strides, strict=True)
        )

    def attributes(self, sizes: Shape) -> dict[str, Any]:
        """Return ONNX's attributes for an input of `sizes`; those that are as ONNX has them by default are left out."""
        return {
            "kernel_shape": list(self.size),
            "strides": list(self.strides) if max(self.strides) > 1 else None,
            "dilations": list(self.dilations) if max(self.dilations) > 1 else None,
            **self._padding(sizes),
        }

    def _padding(self, sizes: Shape) -> dict[str, Any]:
        if self.padding == "valid":
            return {}
        if self.padding == "causal":
            return {"pads": [*(k - 1 for k in self.extent), *(0 for _ in self.size)]}
        totals = [self._total(n, k, s) for n, k, s in zip(sizes, self.extent, self.strides, strict=True)]
        if None in totals:
            return {"auto_pad": "SAME_UPPER"}
        known = [total or 0 for total in totals]
        pads = [*(total // 2 for total in known), *(total - total // 2 for total in known)]
        return {"pads": pads} if any(pads) else {}

    @staticmethod
    def _total(n: int | None, k: int, s: int) -> int | None:
        """Return the padding of both ends of an axis; None where it depends on a size that is not known."""
        if n is not None:
            return max(0, (-(-n // s) - 1) * s + k - n)
        if 1 < k < s:  # ONNX Runtime 1.32 works out a negative padding for some sizes
            raise NotImplementedError(f'padding="same" of windows of {k} at strides of {s} on an axis of dynamic size')
        return None if k >= s > 1 else k - 1


def window(size: Number, strides: Number | None, dilations: Number, padding: str, rank: int) -> Window:
    """Return a window over `rank` axes; a single number counts for all of them, no strides are the size."""
    size = spread(size, rank)
    return Window(size, size if strides is None else spread(strides, rank), spread(dilations, rank), padding.lower())


def spread(number: Number, rank: int) -> tuple[int, ...]:
    """Return one number for each of `rank` axes."""
    return (int(number),) * rank if isinstance(number, int) else tuple(int(n) for n in number)


def image_order(data_format: str | None, rank: int) -> Order:
    """Return the order in which ONNX takes images that Keras has in `data_format`: channels first."""
    import keras

    last = (data_format or keras.config.image_data_format()) == "channels_last"
    return channels_first(rank) if last else identity(rank)


def misplaced(bias: Value | None, shape: Shape, data_format: str | None) -> bool:
    """Whether Keras 3.15 adds a bias along the last axis, though the channels come first: where the sizes are equal.

    Its `add` takes a bias for one of the last axis wherever it fits there.
    """
    import keras

    first = (data_format or keras.config.image_data_format()) == "channels_first"
    return bias is not None and first and bias.shape[0] == shape[-1] != 1


def image_shape(order: Order, batch: int | None, channels: int | None, spatial: Shape) -> Shape:
    """Return the shape of an image in Keras's axes, of what the file has as (batch, channels, spatial …)."""
    filed = (batch, channels, *spatial)
    return tuple(filed[order.index(axis)] for axis in range(len(order)))
