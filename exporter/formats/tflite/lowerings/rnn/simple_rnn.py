"""SimpleRNN: h' = activation(x W + b + h R), with x W + b for all steps at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from exporter.formats.tflite.lowerings.rnn.recurrence import run
from exporter.formats.tflite.registry import lowers_layer


@lowers_layer(keras.layers.SimpleRNN)
def simple_rnn(
    original: Callable[..., Any],
    layer: Any,
    sequences: Any,
    initial_state: Any = None,
    mask: Any = None,
    training: bool = False,
) -> Any:
    """Replace `SimpleRNN.call`; stateful layers keep it."""
    if layer.stateful:
        return original(layer, sequences, initial_state, mask, training)
    cell = layer.cell

    def project(x: Any) -> Any:
        product = ops.matmul(x, cell.kernel)
        return product + cell.bias if cell.use_bias else product

    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        h = x + ops.matmul(states[0], cell.recurrent_kernel)
        h = h if cell.activation is None else cell.activation(h)
        return h, [h]

    return run(layer, sequences, initial_state, mask, project, step)
