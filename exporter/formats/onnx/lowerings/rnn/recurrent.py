"""Recurrent layers over cells that ONNX has as an op: LSTM, GRU, RNN. One node for each cell, whatever the length.

ONNX's ops take sequences time-major, (time, batch, features), and give (time, directions, batch, units) and the last states
(directions, batch, units). Stacked cells are stacked ops. Masks: see `masked_steps`. Other cells: see `scan`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value, combined
from exporter.formats.onnx.lowerings.rnn.masked_steps import Steps, find_steps
from exporter.formats.onnx.registry import lowers_layer

TIME_MAJOR = (1, 0, 2)

# Keras's activation functions that ONNX's recurrent ops know: name, alpha, beta.
ACTIVATIONS: dict[Callable[..., Any], tuple[str, float | None, float | None]] = {
    keras.activations.tanh: ("Tanh", None, None),
    keras.activations.sigmoid: ("Sigmoid", None, None),
    keras.activations.relu: ("Relu", None, None),
    keras.activations.linear: ("Affine", 1.0, 0.0),
    keras.activations.hard_sigmoid: ("HardSigmoid", 1 / 6, 0.5),
    keras.activations.leaky_relu: ("LeakyRelu", 0.2, None),
    keras.activations.softsign: ("Softsign", None, None),
}


@dataclass(frozen=True)
class CellSpec:
    """How ONNX writes a cell.

    Args:
        op: the op type.
        gates: for each gate of ONNX's, its position among Keras's.
        states: how many tensors the state is.
        functions: a cell's activation functions, in ONNX's order.
        biases: a cell's biases of the input and of the recurrence, (gates · units,) each; None for zeros.
        attributes: further attributes of the node.
    """

    op: str
    gates: tuple[int, ...]
    states: int
    functions: Callable[[Any], tuple[Any, ...]]
    biases: Callable[[Graph, Any], tuple[Constant | None, Constant | None]] = lambda g, cell: (
        g.weight(cell.bias),
        None,
    )
    attributes: Callable[[Any], dict[str, Any]] = lambda cell: {}


CELLS: dict[type, CellSpec] = {}


def spec_of(cell: Any) -> CellSpec | None:
    """Return ONNX's spec of a cell; None if it has none for it as it is configured."""
    spec = CELLS.get(type(cell))
    if spec is None or cell.compute_dtype == "float64" or not all(f in ACTIVATIONS for f in spec.functions(cell)):
        return None
    return spec


def cells_of(layer: Any) -> list[Any]:
    """Return the cells that each step runs through."""
    return list(layer.cell.cells) if type(layer.cell) is keras.layers.StackedRNNCells else [layer.cell]


def refuse_stateful(layer: Any) -> None:
    """Raise NotImplementedError if the layer remembers from one call to the next: a file cannot."""
    if layer.stateful:
        raise NotImplementedError("stateful=True: the state would have to survive from one run of the file to the next")


def _has_form(layer: Any, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> bool:
    if layer.stateful:
        return True  # to be refused
    custom_start = type(layer).get_initial_state is not keras.layers.RNN.get_initial_state
    unreversed_mask = (
        layer.unroll and layer.go_backwards and layer.zero_output_for_mask
    )  # Keras zeroes other steps then
    if mask is not None and (len(mask.shape) != 2 or unreversed_mask):
        return False
    return not custom_start and all(spec_of(cell) is not None for cell in cells_of(layer))


@lowers_layer(keras.layers.RNN, when=_has_form)
def recurrent(
    g: Graph, layer: Any, sequences: Value, initial_state: Any = None, mask: Value | None = None, training: bool = False
) -> list[Value]:
    """Run the cells over the sequence; all outputs or the last one, and the last states."""
    refuse_stateful(layer)
    steps = None if mask is None else find_steps(g, mask)
    direction = "reverse" if layer.go_backwards else "forward"
    cells = cells_of(layer)
    if initial_state is None:
        starts: list[Any] = [None] * len(cells)
    else:
        starts = [initial_state] if len(cells) == 1 else list(initial_state)
    x = time_major(g, sequences, steps)
    states: list[Value] = []
    for cell, start in zip(cells, starts, strict=True):
        held = [] if start is None else [_with_direction(g, s) for s in keras.tree.flatten(start)]
        y, last = run(g, [cell], x, held, direction, steps)
        x = without_direction(g, y)
        before: list[Any] = held or [None] * len(last)
        states += [_kept(g, new, old, steps) for new, old in zip(last, before, strict=True)]
        output = g.op("Squeeze", last[0], g.constant([0], np.int64), shape=last[0].shape[1:])
    if layer.return_sequences:
        output = _sequence(g, layer, x, steps)
    elif steps is not None and layer.zero_output_for_mask:
        zero = g.constant(0, np.float32)
        output = g.op(
            "Where", steps.at_end(g, layer.go_backwards), output, zero, shape=output.shape, dtype=output.dtype
        )
    return [output, *states] if layer.return_state else [output]


def time_major(g: Graph, sequences: Value, steps: Steps | None) -> Value:
    """Return the sequences as ONNX's recurrent ops take them, masked steps moved behind the others."""
    kept = sequences if steps is None else steps.gather(g, sequences)
    return g.in_order(kept, TIME_MAJOR)


def run(
    g: Graph, cells: Sequence[Any], x: Value, start: Sequence[Value], direction: str, steps: Steps | None
) -> tuple[Value, list[Value]]:
    """Write one node for one cell, or for two that run in opposite directions.

    Args:
        g: the graph.
        cells: one or two of the same class, units and activation functions.
        x: (batch, time, features), held time-major.
        start: the initial states, (directions, batch, units) each; empty for zeros.
        direction: of ONNX's op.
        steps: which of them count, all if None.

    Returns:
        All outputs, (time, directions, batch, units), and the last states, (directions, batch, units) each.
    """
    spec = CELLS[type(cells[0])]
    batch, time, _ = x.shape
    units, count = cells[0].units, len(cells)
    rows = _Rows(g, x)
    lengths = None if steps is None else rows.filled(steps.lengths, 0)
    states = [rows.filled(s, 1) for s in start]
    outputs = [
        ((time, count, batch, units), ir.DataType.FLOAT),
        *[((count, batch, units), ir.DataType.FLOAT)] * spec.states,
    ]
    y, *last = g.ops(
        spec.op,
        rows.filled(x.as_filed(), 1),
        _stacked([_gates(spec, g.weight(c.kernel)) for c in cells]),
        _stacked([_gates(spec, g.weight(c.recurrent_kernel)) for c in cells]),
        _biases(g, spec, cells),
        *([lengths, *states] if lengths is not None or states else []),
        outputs=outputs,
        hidden_size=units,
        direction=direction,
        **_functions(spec, cells),
        **spec.attributes(cells[0]),
    )
    return rows.cut(y, 2), [rows.cut(state, 1) for state in last]


def without_direction(g: Graph, y: Value) -> Value:
    """Return (time, 1, batch, units) as (batch, time, units), held time-major."""
    time, _, batch, units = y.shape
    return g.op("Squeeze", y, g.constant([1], np.int64), shape=(time, batch, units)).meant_as(TIME_MAJOR)


def _with_direction(g: Graph, state: Value) -> Value:
    state = g.cast(state, ir.DataType.FLOAT)
    return g.op("Unsqueeze", state, g.constant([0], np.int64), shape=(1, *state.shape))


def _sequence(g: Graph, layer: Any, x: Value, steps: Steps | None) -> Value:
    if steps is not None:
        x = steps.spread(g, x, zeros=layer.zero_output_for_mask, backward=layer.go_backwards)
    return flipped(g, x) if layer.go_backwards else x


def flipped(g: Graph, x: Value) -> Value:
    """Return (batch, time, …) with time reversed, held as it is."""
    bounds = [g.constant([n], np.int64) for n in (-1, np.iinfo(np.int64).min, x.axis(1), -1)]
    return g.raw("Slice", x, *bounds, shape=x.shape, order=x.order)


def _kept(g: Graph, new: Value, old: Value | None, steps: Steps | None) -> Value:
    """Return the last state without its direction; a row without steps keeps its first state (ONNX Runtime gives zeros)."""
    if old is not None and steps is not None:
        new = g.op("Where", steps.any(g), new, old, shape=new.shape, dtype=new.dtype)
    return g.op("Squeeze", new, g.constant([0], np.int64), shape=new.shape[1:])


def _functions(spec: CellSpec, cells: Sequence[Any]) -> dict[str, Any]:
    known = [ACTIVATIONS[f] for cell in cells for f in spec.functions(cell)]
    return {
        "activations": [name for name, _, _ in known],
        "activation_alpha": [float(a) for _, a, _ in known if a is not None] or None,
        "activation_beta": [float(b) for _, _, b in known if b is not None] or None,
    }


def _gates(spec: CellSpec, kernel: Constant) -> Constant:
    """Return Keras's (features, gates · units) as ONNX's (gates · units, features), gates in ONNX's order."""
    features, width = (int(d or 0) for d in kernel.shape)
    gates = list(spec.gates)

    def ordered(array: np.ndarray) -> np.ndarray:
        return array.T.reshape(len(gates), -1, features)[gates].reshape(width, features)

    return kernel.mapped(ordered, ("gates", spec.op), (width, features))


def _biases(g: Graph, spec: CellSpec, cells: Sequence[Any]) -> Constant | None:
    """Return (directions, 2 · gates · units): the bias of the input, then that of the recurrence; None if there are none."""
    if not any(cell.use_bias for cell in cells):
        return None
    gates, width = list(spec.gates), len(spec.gates) * cells[0].units
    zeros = g.constant(np.zeros(width, np.float32))

    def joined(*parts: np.ndarray) -> np.ndarray:
        return np.concatenate([p.reshape(len(gates), -1)[gates].reshape(-1) for p in parts])

    both = []
    for cell in cells:
        parts = [part or zeros for part in (spec.biases(g, cell) if cell.use_bias else (None, None))]
        both.append(combined(parts, joined, ("biases", spec.op), (2 * width,)))
    return _stacked(both)


def _stacked(constants: Sequence[Constant]) -> Constant:
    shape = (len(constants), *constants[0].shape)
    return combined(constants, lambda *arrays: np.stack(arrays), "stacked", shape)


class _Rows:
    """Keeps an empty batch from recurrent ops: ONNX Runtime 1.32 aborts the process on it. One row is added, and cut off.

    Args:
        g: the graph.
        x: (batch, …).
    """

    def __init__(self, g: Graph, x: Value) -> None:
        self.g, self.dynamic = g, x.shape[0] is None
        if self.dynamic:
            self.count = g.dimension(x, 0)
            self.missing = g.op("Max", g.op("Sub", g.constant([1], np.int64), self.count), g.constant([0], np.int64))

    def filled(self, value: Value, axis: int) -> Value:
        """Return `value`, the batch along `axis`, with a row of zeros if there is none."""
        if not self.dynamic:
            return value
        before, after = np.zeros(axis, np.int64), np.zeros(2 * value.rank - axis - 1, np.int64)
        parts = [self.g.constant(before)] * bool(axis) + [self.missing, self.g.constant(after)]
        pads = self.g.op("Concat", *parts, axis=0, shape=(2 * value.rank,))
        return self.g.op("Pad", value, pads, shape=value.shape)

    def cut(self, value: Value, axis: int) -> Value:
        """Return `value` without the row that was added."""
        if not self.dynamic:
            return value
        bounds = self.g.constant([0], np.int64), self.count, self.g.constant([axis], np.int64)
        return self.g.op("Slice", value, *bounds, shape=value.shape)
