"""GRU: the input's share of the gates for all steps at once, then a loop with one matrix product (two without reset_after).

    z = s(x Wz + h Rz),  r = s(x Wr + h Rr),  h' = z h + (1 - z) g,  s = recurrent_activation
    reset_after:      g = activation(x Wh + b + r (h Rh + c))
    not reset_after:  g = activation(x Wh + b + (r h) Rh)

As in `keras.layers.GRUCell`; b and c are the biases of input and state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from exporter.formats.tflite.lowerings.rnn.recurrence import run
from exporter.formats.tflite.registry import lowers_layer


@lowers_layer(keras.layers.GRU)
def gru(
    original: Callable[..., Any],
    layer: Any,
    sequences: Any,
    initial_state: Any = None,
    mask: Any = None,
    training: bool = False,
) -> Any:
    """Replace `GRU.call`; stateful layers keep it."""
    if layer.stateful:
        return original(layer, sequences, initial_state, mask, training)
    cell = layer.cell
    input_bias, state_bias = _biases(cell)

    def project(x: Any) -> Any:
        product = ops.matmul(x, cell.kernel)
        return product if input_bias is None else product + input_bias

    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        h = states[0]
        gates, candidate = (_reset_after if cell.reset_after else _reset_before)(cell, x, h, state_bias)
        z, r = ops.split(cell.recurrent_activation(gates), 2, axis=-1)
        g = cell.activation(candidate(r))
        h = g + z * (h - g)
        return h, [h]

    return run(layer, sequences, initial_state, mask, project, step)


def _biases(cell: Any) -> tuple[Any, Any]:
    if not cell.use_bias:
        return None, None
    if cell.reset_after:
        return cell.bias[0], cell.bias[1]
    return cell.bias, None


def _reset_after(cell: Any, x: Any, h: Any, bias: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return the arguments of both gates, side by side, and the candidate's as a function of r."""
    state = ops.matmul(h, cell.recurrent_kernel)
    state = state if bias is None else state + bias
    both = 2 * cell.units
    return x[..., :both] + state[..., :both], lambda r: x[..., both:] + r * state[..., both:]


def _reset_before(cell: Any, x: Any, h: Any, bias: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Likewise, where r multiplies the state before the product."""
    del bias  # there is one bias only, in the projection
    both = 2 * cell.units
    kernel = ops.convert_to_tensor(cell.recurrent_kernel)
    gates = x[..., :both] + ops.matmul(h, kernel[:, :both])
    return gates, lambda r: x[..., both:] + ops.matmul(r * h, kernel[:, both:])
