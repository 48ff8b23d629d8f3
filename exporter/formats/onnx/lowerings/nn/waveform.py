"""Long windows over one channel, as the spectrogram layers take them: a convolution of an image of one row.

ONNX Runtime 1.32 has kernels in blocks of channels for two dimensions only. With one input channel they need no blocks on the
way in. One thread, AVX-512, windows at strides of less than half: 129 filters of 200 samples over 2,000 are 1.22 times as fast,
of 256 over 4,000 1.15, 257 of 400 over 16,000 1.23. Short or few filters are not: 8 of 1 0.88, 16 of 7 0.95.
"""

from __future__ import annotations

from collections.abc import Callable

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, unsqueezed

WORTH = 2**14  # weights

Convolution = Callable[[Value, Constant], Value]


def as_image(g: Graph, x: Value, kernel: Value, channels_axis: int, convolution: Convolution) -> Value | None:
    """Return the convolution of `x` as one of an image if that is faster, else None.

    Args:
        g: the graph.
        x: (batch, time, 1) or (batch, 1, time).
        kernel: (filters, 1, window).
        channels_axis: 2 or 1.
        convolution: writes one of an image with a kernel (filters, 1, 1, window).
    """
    if x.rank != 3 or x.shape[channels_axis] != 1 or not isinstance(kernel, Constant):
        return None
    filters, _, window = (int(d or 0) for d in kernel.shape)
    if filters * window < WORTH:
        return None
    rows = 1 if channels_axis == 2 else 2
    image = unsqueezed(g, x, rows)
    return squeezed(g, convolution(image, kernel.reshape(filters, 1, 1, window)), [rows])
