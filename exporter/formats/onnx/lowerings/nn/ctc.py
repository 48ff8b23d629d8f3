"""Greedy decoding of CTC: in each step the class of the largest score; blanks and repeated classes are left out."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import index, size_of
from exporter.formats.onnx.builder.sizes import counted
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import transposed, unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.lowerings.math.reduction import arg_extreme, extreme, reduced
from exporter.formats.onnx.registry import lowers_op

INT64 = ir.DataType.INT64


@lowers_op("CTCGreedyDecoder")
def greedy(g: Graph, op: Any, scores: Value, lengths: Value) -> list[Value]:
    """The labels that are kept, as a sparse (batch, step) matrix: indices, values, shape; and -Σ of the largest scores."""
    blank = op.get_attr("blank_index")
    number = size_of(g, scores, 2) + blank if blank < 0 else index(g, blank)
    by_row = transposed(scores, [1, 0, 2])
    classes = arg_extreme(g, "ArgMax", by_row, 2)
    inside = _steps_within(g, classes, lengths)
    kept = g.op("And", inside, g.op("Not", g.op("Equal", classes, number.value)))
    if op.get_attr("merge_repeated"):
        kept = g.op("And", kept, _changed(g, classes))
    so_far = g.op("CumSum", g.cast(kept, INT64), g.constant(1, np.int64))
    places = g.op("Sub", so_far, g.constant(1, np.int64))
    rows = transposed(g.op("NonZero", kept, shape=(2, None), dtype=INT64), [1, 0])
    row = sliced(g, rows, [Range(1, 0, 1)])
    place = unsqueezed(g, g.op("GatherND", places, rows, shape=(None,), dtype=INT64), 1)
    indices = g.op("Concat", row, place, shape=(None, 2), axis=1)
    values = g.op("GatherND", classes, rows, shape=(None,), dtype=INT64)
    shape = g.op("Concat", g.dimension(classes, 0), _largest(g, so_far), shape=(2,), axis=0)
    best = extreme(g, "ReduceMax", by_row, [2], False)
    taken = g.op("Where", inside, best, g.constant(0, best.numpy_dtype), dtype=best.dtype)
    return [indices, values, shape, g.elementwise("Neg", reduced(g, "ReduceSum", taken, [1], True))]


def _steps_within(g: Graph, classes: Value, lengths: Value) -> Value:
    """Return whether each step of (batch, step) lies within the length of its row."""
    return g.op("Less", counted(g, classes, 1), unsqueezed(g, g.cast(lengths, INT64), 1), shape=classes.shape)


def _changed(g: Graph, classes: Value) -> Value:
    """Return whether each step has another class than the step before; the first one has."""
    pads = g.constant([0, 1, 0, -1], np.int64)
    before = g.op("Pad", classes, pads, g.constant(-1, np.int64), shape=classes.shape, dtype=INT64)
    return g.op("Not", g.op("Equal", classes, before))


def _largest(g: Graph, so_far: Value) -> Value:
    """Return the largest number of labels in a row, as a vector; 0 where there is no row or no step."""
    flat = g.op("Reshape", so_far, g.constant([-1], np.int64), shape=(None,))
    padded = g.op("Concat", g.constant([0], np.int64), flat, shape=(None,), axis=0)
    return g.op("ReduceMax", padded, g.constant([0], np.int64), shape=(1,), keepdims=1)


@lowers_op("CTCBeamSearchDecoder")
def beam_search(g: Graph, op: Any, *_: Any) -> NoReturn:
    """Refuse: a search that keeps lists of beams."""
    raise NotImplementedError('ONNX has no beam search; decode with strategy="greedy", or after the model')
