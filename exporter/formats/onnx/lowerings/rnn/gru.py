"""GRU, the gated recurrent unit.

    z, r = sigmoid(x·W + h·R + b)
    h' = z · h + (1 - z) · g, where
    g = activation(x·W + b + r · (h·R + b_r))     reset after the product with R (`reset_after`, Keras's default)
    g = activation(x·W + b + (r · h)·R)           reset before it

ONNX: the op GRU, `linear_before_reset` for the first. Gates in both: z, r, h. Two biases if reset after, else one.
"""

from __future__ import annotations

from typing import Any

import keras

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant
from exporter.formats.onnx.lowerings.rnn.recurrent import CELLS, CellSpec


def _biases(g: Graph, cell: Any) -> tuple[Constant | None, Constant | None]:
    bias = g.weight(cell.bias)
    if not cell.reset_after:
        return bias, None
    width = bias.shape[-1:]
    return bias.mapped(lambda b: b[0], "of the input", width), bias.mapped(lambda b: b[1], "of the recurrence", width)


CELLS[keras.layers.GRUCell] = CellSpec(
    op="GRU",
    gates=(0, 1, 2),
    states=1,
    functions=lambda cell: (cell.recurrent_activation, cell.activation),
    biases=_biases,
    attributes=lambda cell: {"linear_before_reset": int(cell.reset_after)},
)
