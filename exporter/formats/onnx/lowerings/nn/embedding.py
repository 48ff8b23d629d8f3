"""Embeddings: rows of a table. ONNX: Gather, which counts negative ids from the end, as Keras does."""

from __future__ import annotations

from typing import Any

import keras
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.registry import lowers_layer

INDICES = (ir.DataType.INT32, ir.DataType.INT64)


@lowers_layer(keras.layers.Embedding)
def embedding(g: Graph, layer: Any, inputs: Value) -> Value:
    """Take the row of each id."""
    ids = inputs if inputs.dtype in INDICES else g.cast(inputs, ir.DataType.INT32)
    table = g.weight(layer.embeddings)
    shape = (*inputs.shape, table.shape[1])
    return g.raw("Gather", table, ids, shape=shape, order=(*ids.order, ids.rank), axis=0)


def _tied(layer: Any, inputs: Any, reverse: bool = False) -> bool:
    return reverse and layer.tie_weights and layer.reverse_dtype in (None, layer.compute_dtype)


@lowers_layer(keras.layers.ReversibleEmbedding, when=_tied)
def reverse_embedding(g: Graph, layer: Any, inputs: Value, reverse: bool = False) -> Value:
    """Return x · tableᵀ, the table being in the file once: ONNX Runtime turns it when it loads the file."""
    table = g.weight(layer.embeddings)
    rows, columns = table.shape
    turned = g.raw("Transpose", table, shape=(columns, rows), perm=[1, 0])
    scores = g.op("MatMul", inputs, turned, shape=(*inputs.shape[:-1], rows))
    if layer.logit_soft_cap is None:
        return scores
    return g.op("Mul", g.op("Tanh", g.op("Div", scores, layer.logit_soft_cap)), layer.logit_soft_cap)
