"""Batch normalization at inference: gamma · (x - moving_mean) / sqrt(moving_variance + epsilon) + beta.

ONNX: BatchNormalization where the channels are axis 1 in the file, which ONNX Runtime folds into a Conv before it; else Mul and
Add of two weights computed while exporting. Behind a sum of convolutions (`split_convolution`) it becomes part of them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import index, size_of
from exporter.formats.onnx.builder.value import Constant, Value, channels_first, combined, identity
from exporter.formats.onnx.lowerings.nn.split_convolution import Summed, scaled
from exporter.formats.onnx.registry import lowers_layer, lowers_op


@lowers_layer(keras.layers.BatchNormalization)
def batch_normalization(g: Graph, layer: Any, inputs: Value, training: Any = None, mask: Any = None) -> Value:
    """Normalize with the moving statistics."""
    axis = layer.axis % inputs.rank
    size = inputs.shape[axis] or 0
    gamma = g.weight(layer.gamma) if layer.scale else g.constant(np.ones(size, np.float32))
    beta = g.weight(layer.beta) if layer.center else g.constant(np.zeros(size, np.float32))
    weights = [
        c.astype(inputs.numpy_dtype)
        for c in (gamma, beta, g.weight(layer.moving_mean), g.weight(layer.moving_variance))
    ]
    if inputs.order[1] == axis and isinstance(inputs, Summed) and inputs.uses <= 1:
        return scaled(g, inputs, *affine(*weights, epsilon=layer.epsilon))
    if inputs.order[1] != axis or inputs.dtype != ir.DataType.FLOAT:  # the attribute epsilon has 32 bits
        factor, offset = affine(*weights, epsilon=layer.epsilon)
        broadcast = [size if a == axis else 1 for a in range(inputs.rank)]
        y = g.elementwise("Mul", inputs, factor.reshape(*broadcast))
        return g.elementwise("Add", y, offset.reshape(*broadcast))
    return g.raw("BatchNormalization", inputs, *weights, shape=inputs.shape, order=inputs.order, epsilon=layer.epsilon)


def affine(
    gamma: Constant, beta: Constant, mean: Constant, variance: Constant, *, epsilon: float
) -> tuple[Constant, Constant]:
    """Return factor and offset: gamma / sqrt(variance + epsilon), and beta - mean · factor."""

    def factor(gamma: np.ndarray, variance: np.ndarray) -> np.ndarray:
        return (gamma / np.sqrt(variance.astype(np.float64) + epsilon)).astype(gamma.dtype)

    def offset(beta: np.ndarray, gamma: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        wide = gamma / np.sqrt(variance.astype(np.float64) + epsilon)
        return (beta - mean * wide).astype(beta.dtype)

    return (
        combined([gamma, variance], factor, ("factor", epsilon), gamma.shape),
        combined([beta, gamma, mean, variance], offset, ("offset", epsilon), beta.shape),
    )


@lowers_op("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def fused(g: Graph, op: Any, x: Value, gamma: Value, beta: Value, mean: Value, variance: Value) -> list[Value]:
    """BatchNormalization with given statistics, whatever the sizes; with those of the batch, while training."""
    order = identity(x.rank) if op.get_attr("data_format") in (b"NCHW", b"NCDHW") else channels_first(x.rank)
    epsilon = op.get_attr("epsilon")
    held = g.in_order(x, order)
    spread = variance
    if op.get_attr("is_training"):
        axes = g.constant([0, *range(2, x.rank)], np.int64)
        filed = held.as_filed()
        mean = g.op("ReduceMean", filed, axes, shape=(x.shape[order[1]],), keepdims=0)
        centred = g.op("Sub", filed, _beside(g, mean, x.rank))
        variance = g.op("ReduceMean", g.op("Mul", centred, centred), axes, shape=mean.shape, keepdims=0)
        spread = _unbiased(g, variance, filed)
    y = g.raw("BatchNormalization", held, gamma, beta, mean, variance, shape=x.shape, order=order, epsilon=epsilon)
    return [y, mean, spread, mean, variance, mean][: len(op.outputs)]


def _beside(g: Graph, channels: Value, rank: int) -> Value:
    """Return one number for each channel in a shape that broadcasts to images, channels first."""
    return g.op(
        "Reshape", channels, g.constant([1, -1, *[1] * (rank - 2)], np.int64), shape=(1, None, *[1] * (rank - 2))
    )


def _unbiased(g: Graph, variance: Value, images: Value) -> Value:
    """Return the variance of n numbers as TensorFlow hands it out: times n / (n - 1)."""
    count = index(g, 1)
    for axis in (0, *range(2, images.rank)):
        count = count * size_of(g, images, axis)
    ratio = g.op("Div", g.cast(count.value, variance.dtype), g.cast((count - 1).at_least(1).value, variance.dtype))
    return g.op("Mul", variance, ratio)
