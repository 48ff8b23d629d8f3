"""SimpleRNN: h' = activation(x·W + h·R + b). ONNX: the op RNN."""

from __future__ import annotations

import keras

from exporter.formats.onnx.lowerings.rnn.recurrent import CELLS, CellSpec

CELLS[keras.layers.SimpleRNNCell] = CellSpec(op="RNN", gates=(0,), states=1, functions=lambda cell: (cell.activation,))
