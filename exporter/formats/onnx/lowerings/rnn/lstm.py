"""LSTM, the long short-term memory.

    i, f, o = sigmoid(x·W + h·R + b)     g = tanh(x·W + h·R + b)
    c' = f · c + i · g             h' = o · tanh(c')

ONNX: the op LSTM. Gates: Keras i, f, g, o; ONNX i, o, f, g. One bias, which ONNX adds to that of the recurrence.
"""

from __future__ import annotations

import keras

from exporter.formats.onnx.lowerings.rnn.recurrent import CELLS, CellSpec

CELLS[keras.layers.LSTMCell] = CellSpec(
    op="LSTM",
    gates=(0, 3, 1, 2),
    states=2,
    functions=lambda cell: (cell.recurrent_activation, cell.activation, cell.activation),
)
