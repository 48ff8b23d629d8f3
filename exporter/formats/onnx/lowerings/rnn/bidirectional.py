"""Bidirectional recurrent layers: one ONNX node that runs in both directions.

ONNX gives the backward outputs in the order of time, which is what Keras turns its own into.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.rnn.masked_steps import Steps, find_steps
from exporter.formats.onnx.lowerings.rnn.recurrent import CELLS, cells_of, refuse_stateful, run, spec_of, time_major
from exporter.formats.onnx.registry import lowers_layer

MERGES = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}


def _alike(layer: Any, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> bool:
    """Whether both directions fit into one node; else each layer is lowered by itself."""
    both = layer.forward_layer, layer.backward_layer
    recurrent = keras.layers.RNN, keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN
    if not all(type(each) in recurrent for each in both) or both[0].go_backwards or layer.stateful:
        return False
    cells = [cells_of(each) for each in both]
    if any(len(c) != 1 or spec_of(c[0]) is None for c in cells) or type(cells[0][0]) is not type(cells[1][0]):
        return False
    if mask is not None and (len(mask.shape) != 2 or any(e.zero_output_for_mask != e.return_sequences for e in both)):
        return False
    if mask is not None and any(e.unroll and e.return_sequences for e in both):
        return False  # Keras zeroes other steps then
    return bool(_shared(cells[0][0]) == _shared(cells[1][0]))


def _shared(cell: Any) -> Any:
    spec = CELLS[type(cell)]
    return cell.units, spec.functions(cell), spec.attributes(cell)


@lowers_layer(keras.layers.Bidirectional, when=_alike)
def bidirectional(
    g: Graph, layer: Any, sequences: Value, initial_state: Any = None, mask: Value | None = None, training: Any = None
) -> list[Value]:
    """Run both directions and merge them."""
    refuse_stateful(layer)
    steps = None if mask is None else find_steps(g, mask)
    cells = [layer.forward_layer.cell, layer.backward_layer.cell]
    start = _starts(g, keras.tree.flatten(initial_state) if initial_state is not None else [])
    y, last = run(g, cells, time_major(g, sequences, steps), start, "bidirectional", steps)
    if layer.return_sequences:
        outputs = _merged_sequence(g, layer.merge_mode, y, steps)
    else:
        outputs = _merged(g, layer.merge_mode, last[0])
    if not layer.return_state:
        return outputs
    if steps is not None and start:
        rows = steps.any(g)
        last = [
            g.op("Where", rows, new, old, shape=new.shape, dtype=new.dtype)
            for new, old in zip(last, start, strict=True)
        ]
    return [*outputs, *[_direction(g, state, d) for d in (0, 1) for state in last]]


def _starts(g: Graph, states: list[Value]) -> list[Value]:
    """Pair the forward states, the first half, with the backward ones: (2, batch, units) each."""
    half = len(states) // 2
    pairs = zip(states[:half], states[half:], strict=True)
    both = []
    for pair in pairs:
        axis = g.constant([0], np.int64)
        parts = [g.op("Unsqueeze", g.cast(s, ir.DataType.FLOAT), axis, shape=(1, *s.shape)) for s in pair]
        both.append(g.op("Concat", *parts, axis=0, shape=(2, *pair[0].shape)))
    return both


def _merged_sequence(g: Graph, mode: str | None, y: Value, steps: Steps | None) -> list[Value]:
    """Merge (time, 2, batch, units) into (batch, time, units), or (batch, time, 2 · units)."""
    (time, _, batch), units = y.shape[:3], y.shape[3] or 0
    if mode == "concat":
        y = g.keras_order(y.meant_as((1, 2, 0, 3)))  # (batch, time, 2, units)
        shape = batch, time, 2 * units
        parts = [g.op("Reshape", y, g.constant([0, 0, 2 * units], np.int64), shape=shape)]
    elif mode is None:
        parts = [_direction(g, y, d, axis=1).meant_as((1, 0, 2)) for d in (0, 1)]
    else:
        parts = [_reduced(g, MERGES[mode], y, 1).meant_as((1, 0, 2))]
    return parts if steps is None else [steps.spread(g, p, zeros=True, backward=False) for p in parts]


def _merged(g: Graph, mode: str | None, last: Value) -> list[Value]:
    """Merge the last outputs, (2, batch, units)."""
    if mode == "concat":
        both = [_direction(g, last, d) for d in (0, 1)]
        return [g.op("Concat", *both, axis=1, shape=(last.shape[1], 2 * (last.shape[2] or 0)))]
    if mode is None:
        return [_direction(g, last, d) for d in (0, 1)]
    return [_reduced(g, MERGES[mode], last, 0)]


def _direction(g: Graph, value: Value, direction: int, axis: int = 0) -> Value:
    shape = value.shape[:axis] + value.shape[axis + 1 :]
    return g.op("Gather", value, g.constant(direction, np.int64), shape=shape, axis=axis)


def _reduced(g: Graph, kind: str, value: Value, axis: int) -> Value:
    shape = value.shape[:axis] + value.shape[axis + 1 :]
    return g.op(kind, value, g.constant([axis], np.int64), keepdims=0, shape=shape)
