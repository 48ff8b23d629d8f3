"""Normalization layers at inference."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_layer
from exporter.lowerings.onnx.value import Order, Value, identity


@lowers_layer(keras.layers.BatchNormalization)
def batch_normalization(g: Graph, layer: Any, inputs: Value, training: Any = None, mask: Any = None) -> Value:
    """Gamma · (x - moving_mean) / sqrt(moving_variance + epsilon) + beta; ONNX Runtime folds it into a Conv before it."""
    axis = layer.axis % inputs.rank
    order = inputs.order if inputs.rank > 1 and inputs.order[1] == axis else _axis_second(inputs.rank, axis)
    size = inputs.shape[axis] or 0
    gamma = g.weight(layer.gamma) if layer.scale else g.constant(np.ones(size, np.float32))
    beta = g.weight(layer.beta) if layer.center else g.constant(np.zeros(size, np.float32))
    statistics = g.weight(layer.moving_mean), g.weight(layer.moving_variance)
    x = g.in_order(inputs, order)
    return g.raw(
        "BatchNormalization", x, gamma, beta, *statistics, shape=inputs.shape, order=order, epsilon=layer.epsilon
    )


def _axis_second(rank: int, axis: int) -> Order:
    return (0, axis, *(a for a in identity(rank)[1:] if a != axis))
