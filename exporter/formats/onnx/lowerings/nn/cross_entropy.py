"""Cross-entropies of scores, as losses inside a model have them: -Σ labels · log softmax, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import wide
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, unsqueezed
from exporter.formats.onnx.lowerings.math.logarithm import along_axis
from exporter.formats.onnx.lowerings.math.reduction import reduced
from exporter.formats.onnx.registry import lowers_op


@lowers_op("SoftmaxCrossEntropyWithLogits")
def dense(g: Graph, op: Any, scores: Value, labels: Value) -> list[Value]:
    """The loss of each row against a distribution of labels."""
    product = g.op("Mul", labels, _log_softmax(g, scores))
    loss = g.op("Neg", reduced(g, "ReduceSum", product, [1], False))
    return [loss, g.op("Sub", _softmax(g, scores), labels)]


@lowers_op("SparseSoftmaxCrossEntropyWithLogits")
def sparse(g: Graph, op: Any, scores: Value, labels: Value) -> list[Value]:
    """The loss of each row against one label."""
    places = unsqueezed(g, wide(g, labels), 1)
    chosen = g.op("GatherElements", _log_softmax(g, scores), places, shape=(scores.shape[0], 1), axis=1)
    depth = g.dimension(scores, 1)
    values = np.array([0, 1], np.float32)  # ONNX Runtime 1.32 has no OneHot of float64
    hot = g.op("OneHot", wide(g, labels), depth, values, shape=scores.shape, dtype=ir.DataType.FLOAT, axis=-1)
    hot = g.cast(hot, scores.dtype)
    return [g.op("Neg", squeezed(g, chosen, [1])), g.op("Sub", _softmax(g, scores), hot)]


def _log_softmax(g: Graph, scores: Value) -> Value:
    return g.keras_order(along_axis(g, "LogSoftmax", scores, 1))


def _softmax(g: Graph, scores: Value) -> Value:
    return g.op("Softmax", scores, axis=1)
