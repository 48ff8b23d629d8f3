"""TimeDistributed: the steps become rows of one larger batch, whether their number is known or not.

Keras calls the layer once per step, and with a dynamic number of steps by a loop whose file returns one step only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from exporter.lowerings.tflite import lowers_layer


@lowers_layer(keras.layers.TimeDistributed)
def time_distributed(
    original: Callable[..., Any], layer: Any, inputs: Any, training: Any = None, mask: Any = None
) -> Any:
    """Replace `TimeDistributed.call` around layers with one tensor in and out, which treat rows alike."""
    if not hasattr(inputs, "shape") or getattr(layer.layer, "stateful", False):
        return original(layer, inputs, training=training, mask=mask)
    arguments: dict[str, Any] = {}
    if layer.layer._call_has_mask_arg and mask is not None:
        arguments["mask"] = _rows(mask)
    if layer.layer._call_has_training_arg:
        arguments["training"] = training
    outputs = layer.layer.call(_rows(inputs), **arguments)
    steps = inputs.shape[1] if inputs.shape[1] is not None else ops.shape(inputs)[1]
    batch = inputs.shape[0] if inputs.shape[0] is not None else ops.shape(inputs)[0]
    return keras.tree.map_structure(lambda o: ops.reshape(o, [batch, steps, *ops.shape(o)[1:]]), outputs)


def _rows(x: Any) -> Any:
    """Return [batch, time, …] as [batch · time, …]."""
    return ops.reshape(x, [-1, *ops.shape(x)[2:]])
