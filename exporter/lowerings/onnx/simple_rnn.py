"""SimpleRNN: h' = activation(x·W + h·R + b). ONNX: the op RNN."""

from __future__ import annotations

from typing import Any

import keras

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.recurrent import FORMS, Form
from exporter.lowerings.onnx.value import Constant


def _biases(g: Graph, cell: Any) -> tuple[Constant | None, Constant | None]:
    return g.weight(cell.bias), None


FORMS[keras.layers.SimpleRNNCell] = Form(
    op="RNN", gates=(0,), states=1, functions=lambda cell: (cell.activation,), biases=_biases
)
