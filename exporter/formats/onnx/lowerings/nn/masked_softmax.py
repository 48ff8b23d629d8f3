"""The layer Softmax with a mask: what is masked gets a large negative score, and 0 afterwards."""

from __future__ import annotations

from typing import Any

import keras

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import lowers_layer


def _expressible(layer: Any, inputs: Any, mask: Any = None) -> bool:
    boolean = mask is not None and mask.dtype == "bool"
    return boolean and (isinstance(layer.axis, int) or len(layer.axis) == 1)


@lowers_layer(keras.layers.Softmax, when=_expressible)
def masked_softmax(g: Graph, layer: Any, inputs: Value, mask: Value) -> Value:
    """Where, Softmax, Where."""
    axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0]
    masked = -3e4 if layer.compute_dtype == "float16" else -1e9
    zero, low = (g.constant(n, inputs.numpy_dtype) for n in (0, masked))
    scores = g.elementwise("Where", mask, inputs, low, dtype=inputs.dtype)
    y = g.raw("Softmax", scores, shape=scores.shape, order=scores.order, axis=scores.axis(axis))
    return g.elementwise("Where", mask, y, zero, dtype=y.dtype)
