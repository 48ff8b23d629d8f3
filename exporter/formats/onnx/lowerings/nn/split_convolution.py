"""A convolution of two images joined along the channels, of which ONNX Runtime has one in its blocked layout, the other not.

conv(concat(a, b)) = conv_a(a) + conv_b(b), each with its part of the kernel. ConvTranspose and bilinear Resize leave the
blocked layout; a Concat takes the other image, the skip connection of a U-Net, out of it too, and all channels go back. Two
convolutions leave it where it is, and the sum is part of the second: 1.05 to 1.13 times the speed of the block (ONNX Runtime
1.32, one thread, 16 to 64 channels). A BatchNormalization behind it is folded here, for the sum is in the runtime's way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value, combined

KEEPS_BLOCKS = frozenset({"Relu", "BatchNormalization", "Clip", "Gelu", "Sigmoid", "Tanh"})
Convolution = Callable[[Value, Constant, Constant | None], Value]


@dataclass(eq=False)
class Joined(Value):
    """Two images, channels-first in the file, joined along the channels."""

    parts: tuple[Value, Value] = field(kw_only=True)


@dataclass(eq=False)
class Summed(Value):
    """The sum of the convolutions of two images.

    Args:
        of: the images.
        kernel: of both, (filters, channels, window …).
        bias: (filters,).
        convolution: writes one with a kernel and a bias.
    """

    of: Joined = field(kw_only=True)
    kernel: Constant = field(kw_only=True)
    bias: Constant | None = field(kw_only=True)
    convolution: Convolution = field(kw_only=True)


def joined(y: Value, parts: list[Value], axis: int) -> Value:
    """Return `y`, the Concat of `parts` along Keras's `axis`, as one that knows its parts if a convolution should."""
    two = len(parts) == 2 and y.rank == 4 and y.order[1] == axis and y.dtype == ir.DataType.FLOAT
    if not two or {_is_blocked(part.ir) for part in parts} != {True, False}:
        return y
    return Joined(y.ir, y.shape, y.dtype, y.order, parts=(parts[0], parts[1]))


def _is_blocked(value: ir.Value | None) -> bool | None:
    """Whether ONNX Runtime holds a value in its blocked layout; None if that is not known."""
    node = value.producer() if value is not None else None
    if node is None:
        return None
    if node.op_type in KEEPS_BLOCKS:
        return _is_blocked(node.inputs[0])
    if node.op_type in ("Conv", "MaxPool", "AveragePool"):
        return True
    bilinear = node.op_type == "Resize" and node.attributes.get_string("mode") == "linear"
    return False if node.op_type == "ConvTranspose" or bilinear else None


def summed(g: Graph, x: Value, kernel: Value, bias: Constant | None, convolution: Convolution) -> Value | None:
    """Return the convolution of `x` as a sum of two if that is faster, else None."""
    if (
        not isinstance(x, Joined)
        or x.uses > 1
        or not isinstance(kernel, Constant)
        or kernel.shape[1] != x.file_shape[1]
    ):
        return None
    return _sum(g, x, kernel, bias, convolution)


def _sum(g: Graph, x: Joined, kernel: Constant, bias: Constant | None, convolution: Convolution) -> Summed:
    channels, total = int(x.parts[0].file_shape[1] or 0), int(kernel.shape[1] or 0)
    first = convolution(x.parts[0], _channels(kernel, 0, channels), bias)
    second = convolution(x.parts[1], _channels(kernel, channels, total), None)
    y = g.elementwise("Add", first, second)
    return Summed(y.ir, y.shape, y.dtype, y.order, of=x, kernel=kernel, bias=bias, convolution=convolution)


def _channels(kernel: Constant, start: int, end: int) -> Constant:
    shape = (kernel.shape[0], end - start, *kernel.shape[2:])
    return kernel.mapped(lambda k: k[:, start:end], ("channels", start, end), shape)


def scaled(g: Graph, x: Summed, factor: Constant, offset: Constant) -> Value:
    """Return factor · x + offset of each channel, written into the two convolutions."""
    kernel = combined([x.kernel, factor], _scaled_kernel, "scaled", x.kernel.shape)
    bias = offset if x.bias is None else combined([x.bias, factor, offset], _scaled_bias, "scaled", offset.shape)
    return _sum(g, x.of, kernel, bias, x.convolution)


def _scaled_kernel(kernel: np.ndarray, factor: np.ndarray) -> np.ndarray:
    return kernel * factor.reshape(-1, *[1] * (kernel.ndim - 1))


def _scaled_bias(bias: np.ndarray, factor: np.ndarray, offset: np.ndarray) -> np.ndarray:
    return bias * factor + offset
