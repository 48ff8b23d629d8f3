"""Activations in forms that keep their tails and stay within XNNPACK.

    selu(x) = scale (max(x, 0) + alpha elu(min(x, 0)))                                       1.5x to 1.8x the converter's form
    mish(x) = x tanh(log(1 + e^x)) = x / (1 + 2 / n),  n = e (e + 2), e = e^x                0.9x to 1x, and with its tail

Where e overflows, n is infinite and the result x. The converter's mish is 0 from -17 down; a stable softplus and tanh
would be 0.34x. Figures on ai-edge-litert 2.3, 56x56x64 and 128x512.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_layer, lowers_op
from exporter.layers import Mish

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, arXiv:1706.02515


@lowers_op("Selu")
def selu(op: Any, x: Any) -> Any:
    """Return the scaled exponential linear unit."""
    if x.dtype != tf.float32:
        return NotImplemented
    below = SELU_SCALE * SELU_ALPHA * tf.nn.elu(tf.minimum(x, 0.0))
    return SELU_SCALE * tf.nn.relu(x) + below


@lowers_op("Mul")
def mish_product(op: Any, a: Any, b: Any) -> Any:
    """Return mish(x) for a product x tanh(softplus(x)); other products are left alone."""
    for factor, gate, x in ((op.inputs[0], op.inputs[1], a), (op.inputs[1], op.inputs[0], b)):
        if gate.op.type == "Tanh" and gate.op.inputs[0].op.type == "Softplus":
            argument = gate.op.inputs[0].op.inputs[0]
            if argument.name == factor.name and argument.graph is factor.graph and x.dtype == tf.float32:
                return _mish(x)
    return NotImplemented


@lowers_layer(Mish)
def mish_layer(original: Any, layer: Any, inputs: Any) -> Any:
    """Replace the call of our own layer, which is 0 at minus infinity."""
    if inputs.dtype != tf.float32:
        return original(layer, inputs)
    return _mish(tf.maximum(inputs, tf.float32.min))


def _mish(x: Any) -> Any:
    e = tf.exp(x)
    return x / (1.0 + 2.0 / (e * (e + 2.0)))
