"""LSTM: one UNIDIRECTIONAL_SEQUENCE_LSTM, or a loop where that op cannot express the layer.

    i = s(x Wi + h Ri + bi), f = s(x Wf + h Rf + bf), g = a(x Wc + h Rc + bc), o = s(x Wo + h Ro + bo)
    c' = f c + i g,  h' = o a(c')

As in `keras.layers.LSTMCell`. The op has a = tanh, s = sigmoid, a static batch, and no mask; it gives all h and no c.
The last c, when it is asked for, follows from all h without another loop (`_last_carry`).

The op's kernel is LiteRT's own, at 17 GFLOP/s on a core where XNNPACK's products, which the loop has, reach 45. Measured
on ai-edge-litert 2.3 (x86, AVX-512), batch 1, returning sequences, against Keras's loop; op and loop: 8 features, 16 units,
30 steps 6.2x, 3.2x; 16, 64, 50 steps 2.7x, 2.6x; 32, 128, 64 steps 2.1x, 2.8x; 256, 256, 100 steps 1.5x, 3.9x; and 128, 64, 64
steps, the last output only, 0.7x, 1.6x. So the op is for layers of at most `FUSED` weights. `benchmarks/tflite_forms.py`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from exporter.formats.tflite.lowerings.rnn.recurrence import run, states_of
from exporter.formats.tflite.passes.fused_lstm import fused_lstm
from exporter.formats.tflite.registry import lowers_layer

FUSED = 2**15  # weights


@lowers_layer(keras.layers.LSTM)
def lstm(
    original: Callable[..., Any],
    layer: Any,
    sequences: Any,
    initial_state: Any = None,
    mask: Any = None,
    training: bool = False,
) -> Any:
    """Replace `LSTM.call`; stateful layers keep it."""
    if layer.stateful:
        return original(layer, sequences, initial_state, mask, training)
    if mask is None and _fusable(layer, sequences):
        return _fused(layer, sequences, initial_state)
    cell = layer.cell

    def project(x: Any) -> Any:
        product = ops.matmul(x, cell.kernel)
        return product + cell.bias if cell.use_bias else product

    def step(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        h, c = states
        z = x + ops.matmul(h, cell.recurrent_kernel)
        if cell.recurrent_activation is keras.activations.sigmoid:  # one op for all gates, 1.04x to 1.1x
            i, f, _, o = ops.split(keras.activations.sigmoid(z), 4, axis=-1)
            g = z[..., 2 * cell.units : 3 * cell.units]
        else:
            i, f, g, o = ops.split(z, 4, axis=-1)
            i, f, o = map(cell.recurrent_activation, (i, f, o))
        c = f * c + i * cell.activation(g)
        h = o * cell.activation(c)
        return h, [h, c]

    return run(layer, sequences, initial_state, mask, project, step)


def _fusable(layer: Any, sequences: Any) -> bool:
    """Whether the op computes what the layer does, for these shapes, and fast."""
    batch, time, features = sequences.shape
    return (
        layer.cell.activation is keras.activations.tanh
        and layer.cell.recurrent_activation is keras.activations.sigmoid
        and None not in (batch, features)
        and not layer.unroll
        and (time is not None or not layer.return_state)
        and (features + layer.units) * 4 * layer.units <= FUSED
    )


def _fused(layer: Any, x: Any, initial_state: Any) -> Any:
    cell = layer.cell
    h, c = states_of(layer, x, initial_state)
    kernel, recurrent = tf.convert_to_tensor(cell.kernel), tf.convert_to_tensor(cell.recurrent_kernel)
    bias = tf.convert_to_tensor(cell.bias) if cell.use_bias else tf.zeros([4 * cell.units], x.dtype)
    x = tf.reverse(x, [1]) if layer.go_backwards else x
    outputs = fused_lstm(x, h, c, kernel, recurrent, bias)
    last = outputs[:, -1]
    output = outputs if layer.return_sequences else last
    if not layer.return_state:
        return output
    before = tf.concat([h[:, None], outputs[:, :-1]], axis=1)
    return output, last, _last_carry(c, x, before, kernel, recurrent, bias)


def _last_carry(c: Any, x: Any, h: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    """Return c after the last step, given the inputs x and the states h before each step.

    With all h known the gates of every step are one matrix product, and step t maps c to f_t c + b_t, b = i g. Two steps
    are one such map, f = f2 f1 and b = f2 b1 + b2: halving the number of maps log2(time) times leaves one. Every f lies
    between 0 and 1, so nothing grows, and the rounding is that of the loop.
    """
    units = h.shape[-1]
    gates = ops.matmul(x, kernel[:, : 3 * units]) + ops.matmul(h, recurrent_kernel[:, : 3 * units]) + bias[: 3 * units]
    i, f, g = tf.split(gates, 3, axis=-1)
    scale, shift = tf.sigmoid(f), tf.sigmoid(i) * tf.tanh(g)
    while (steps := scale.shape[1]) > 1:
        rest = [scale[:, -1:], shift[:, -1:]] if steps % 2 else []
        even = steps - steps % 2
        first, second = scale[:, 0:even:2], scale[:, 1:even:2]
        shift = second * shift[:, 0:even:2] + shift[:, 1:even:2]
        scale = first * second
        if rest:
            scale, shift = tf.concat([scale, rest[0]], 1), tf.concat([shift, rest[1]], 1)
    return scale[:, 0] * c + shift[:, 0]
