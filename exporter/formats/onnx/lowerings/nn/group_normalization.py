"""Group normalization: channels in groups, each group of each sample to mean 0 and variance 1.

ONNX: InstanceNormalization of the groups, then Mul and Add per channel; 1.7 to 2.6 times as fast as GroupNormalization(21) and
as the single steps (ONNX Runtime 1.32). One group per channel is InstanceNormalization itself.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import lowers_layer


def _single(layer: Any, inputs: Any) -> bool:
    return inputs.dtype != "float64" and len(inputs.shape) > 2


@lowers_layer(keras.layers.GroupNormalization, when=_single)
def group_normalization(g: Graph, layer: Any, inputs: Value) -> Value:
    """Normalize the groups, scale and shift the channels."""
    axis = layer.axis % inputs.rank
    others = [a for a in inputs.order if a not in (0, axis)]
    x = g.in_order(g.cast(inputs, ir.DataType.FLOAT), (0, axis, *others))
    channels = x.shape[axis] or 0
    gamma = g.weight(layer.gamma) if layer.scale else g.constant(np.ones(channels, np.float32))
    beta = g.weight(layer.beta) if layer.center else g.constant(np.zeros(channels, np.float32))
    if layer.groups == channels:
        return g.raw("InstanceNormalization", x, gamma, beta, shape=x.shape, order=x.order, epsilon=layer.epsilon)
    y = _by_groups(g, x, layer.groups, layer.epsilon)
    broadcast = [channels if a == axis else 1 for a in range(x.rank)]
    if layer.scale:
        y = g.elementwise("Mul", y, gamma.reshape(*broadcast))
    return g.elementwise("Add", y, beta.reshape(*broadcast)) if layer.center else y


def _by_groups(g: Graph, x: Value, groups: int, epsilon: float) -> Value:
    """Normalize (batch, channels, …), as the file has it, reshaped to (batch, groups, …)."""
    filed = x.as_filed()
    batch, channels, *spatial = filed.shape
    size = (channels or 0) // groups
    weights = g.constant(np.ones(groups, np.float32)), g.constant(np.zeros(groups, np.float32))
    if None in spatial:
        dims = [g.dimension(filed, a) for a in range(2, filed.rank)]
        inner = [g.dimension(filed, 0), g.constant([groups, size], np.int64), *dims]
        outer = [g.dimension(filed, 0), g.constant([channels], np.int64), *dims]
        to, back = (g.op("Concat", *parts, axis=0, shape=(len(parts),)) for parts in (inner, outer))
        shape: tuple[int | None, ...] = (batch, groups, size, *spatial)
    else:
        length = size * math.prod(d or 0 for d in spatial)
        first = -1 if batch is None else batch
        to, back = (g.constant(t, np.int64) for t in ([first, groups, length], [first, channels, *spatial]))
        shape = (batch, groups, length)
    y = g.op("Reshape", filed, to, shape=shape)
    y = g.op("InstanceNormalization", y, *weights, shape=shape, epsilon=epsilon)
    return g.op("Reshape", y, back, shape=filed.shape).meant_as(x.order)
