"""Dense layers: activation(x · kernel + bias) along the last axis.

ONNX: Gemm on matrices, MatMul and Add on more axes. An image that lies channels-first gets a 1x1 Conv, so that it need not
be turned, and two projections in a row are two of them (`feed_forward`).
"""

from __future__ import annotations

from typing import Any

import keras
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value, channels_first
from exporter.formats.onnx.lowerings.activations.activation import activate, known_activation
from exporter.formats.onnx.lowerings.nn.feed_forward import convolved, fed_forward, remembered
from exporter.formats.onnx.registry import lowers_layer


@lowers_layer(keras.layers.Dense, when=lambda layer, *_, **__: known_activation(layer.activation))
def dense(g: Graph, layer: Any, inputs: Value, training: Any = None) -> Value:
    """activation(x · kernel + bias)."""
    bias = g.weight(layer.bias) if layer.use_bias else None
    return activate(g, projected(g, inputs, g.weight(layer.kernel), bias), layer.activation)


def projected(g: Graph, x: Value, kernel: Constant, bias: Constant | None) -> Value:
    """Return x · kernel + bias along the last axis.

    Args:
        g: the graph.
        x: (…, features).
        kernel: (features, units).
        bias: (units,).
    """
    shape = (*x.shape[:-1], kernel.shape[1])
    if x.rank == 2:
        return g.op("Gemm", x, kernel, *([] if bias is None else [bias]), shape=shape)
    if (second := fed_forward(g, x, kernel, bias)) is not None:
        return second
    if x.rank > 3 and x.order == channels_first(x.rank) and x.dtype == ir.DataType.FLOAT:
        return convolved(g, x, kernel, bias)
    if x.order[-1] != x.rank - 1:
        x = g.keras_order(x)
    y = g.raw("MatMul", x, kernel, shape=shape, order=x.order)
    y = y if bias is None else g.raw("Add", y, bias, shape=shape, order=x.order)
    return remembered(y, x, kernel, bias)
