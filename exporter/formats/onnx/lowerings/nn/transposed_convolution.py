"""Transposed convolutions of 1, 2 and 3 dimensions: ConvTranspose, of exactly the size that Keras gives.

Each element of the input is spread over a window: n of them cover (n - 1) · stride + extent places. Keras cuts that to
n · stride for "same", the odd place at the end, or adds places of zeros at the end; `output_padding` overrules both.
"""

from __future__ import annotations

from typing import Any

import keras

from exporter.formats.onnx.builder.graph import Graph, Operand
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.builder.window import Number, Window, image_order, image_shape, misplaced, spread, window
from exporter.formats.onnx.lowerings.activations.activation import activate, known_activation
from exporter.formats.onnx.registry import lowers_function, lowers_layer

layers = keras.layers


def _traceable(layer: Any, *_: Any, **__: Any) -> bool:
    return known_activation(layer.activation)


@lowers_layer(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose, when=_traceable)
def transposed_convolution(g: Graph, layer: Any, inputs: Value) -> Value:
    """Spread with the kernel, add the bias, activate."""
    kernel = g.weight(layer.kernel)
    bias = g.weight(layer.bias) if layer.use_bias else None
    view = _window(kernel, layer.strides, layer.padding, layer.dilation_rate)
    y = _spread_out(g, inputs, kernel, bias, view, layer.output_padding, layer.data_format)
    return activate(g, y, layer.activation)


@lowers_function("nn.conv_transpose")
def conv_transpose(
    g: Graph,
    inputs: Value,
    kernel: Operand,
    strides: Number = 1,
    padding: str = "valid",
    output_padding: Number | None = None,
    data_format: str | None = None,
    dilation_rate: Number = 1,
) -> Value:
    """keras.ops.conv_transpose; the kernel may be computed."""
    kernel = g.value_of(kernel)
    view = _window(kernel, strides, padding, dilation_rate)
    return _spread_out(g, inputs, kernel, None, view, output_padding, data_format)


def _window(kernel: Value, strides: Number, padding: str, dilations: Number) -> Window:
    """Return the window of Keras's kernel, (window …, filters, channels)."""
    size = [d or 0 for d in kernel.shape[:-2]]
    return window(size, strides, dilations, padding, len(size))


def _spread_out(
    g: Graph,
    inputs: Value,
    kernel: Value,
    bias: Constant | None,
    view: Window,
    output_padding: Number | None,
    data_format: str | None,
) -> Value:
    order = image_order(data_format, inputs.rank)
    x = g.in_order(inputs, order)
    batch, _, *spatial = x.file_shape
    extra = surplus(view, output_padding)
    last = kernel.rank - 1
    turned = (
        last,
        last - 1,
        *range(last - 1),
    )  # Keras: (window …, filters, channels); ONNX: (channels, filters, window …)
    weights = kernel.transpose(*turned) if isinstance(kernel, Constant) else g.in_order(kernel, turned).as_filed()
    sizes = tuple(
        None if n is None else (n - 1) * s + k + e
        for n, s, k, e in zip(spatial, view.strides, view.extent, extra, strict=True)
    )
    cut = [max(0, -e) for e in extra]
    added = [max(0, e) for e in extra]
    shape = image_shape(order, batch, kernel.shape[-2], sizes)
    late = misplaced(bias, shape, data_format)
    y = g.raw(
        "ConvTranspose",
        x,
        weights,
        *([] if bias is None or late else [bias]),
        shape=shape,
        order=order,
        **Window(view.size, view.strides, view.dilations, "valid").attributes(sizes),
        pads=[*(c // 2 for c in cut), *(c - c // 2 for c in cut)] if any(cut) else None,
        output_padding=added if any(added) else None,
    )
    return g.elementwise("Add", y, bias) if late else y


def surplus(view: Window, output_padding: Number | None) -> list[int]:
    """Return by how many places Keras's output is longer than what the windows cover, along each axis."""
    same = view.padding == "same"
    if output_padding is None:
        pairs = zip(view.strides, view.extent, strict=True)
        return [s - k if same else max(0, s - k) for s, k in pairs]
    given = spread(output_padding, len(view.size))
    return [p + k % 2 - k if same else p for p, k in zip(given, view.extent, strict=True)]
