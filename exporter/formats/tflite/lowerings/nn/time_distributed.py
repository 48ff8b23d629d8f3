"""TimeDistributed: the steps become rows of one larger batch, whether their number is known or not.

Keras calls the layer once per step, and with a dynamic number of steps by a loop whose file returns one step only. A layer
whose rows depend on each other (a mean over the batch) gives something else on the larger batch: it is called once per step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from exporter.errors import UnsupportedError
from exporter.formats.tflite.registry import lowers_layer

TRIED = 4  # rows


@lowers_layer(keras.layers.TimeDistributed)
def time_distributed(
    original: Callable[..., Any], layer: Any, inputs: Any, training: Any = None, mask: Any = None
) -> Any:
    """Replace `TimeDistributed.call` around layers with one tensor in and out, which treat rows alike.

    Raises:
        UnsupportedError: if rows depend on each other, and the number of steps is unknown.
    """
    if not hasattr(inputs, "shape") or getattr(layer.layer, "stateful", False):
        return original(layer, inputs, training=training, mask=mask)
    if not _treats_rows_alike(layer.layer, inputs):
        _refuse_unknown_steps(layer, inputs)
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


def _treats_rows_alike(layer: Any, inputs: Any) -> bool:
    """Return whether each row of the result depends on that row alone: known of Keras's layers, found by trying of others."""
    return all(map(_is_of_keras, layer._flatten_layers())) or _is_independent(layer, inputs)


def _is_of_keras(layer: Any) -> bool:
    """Return whether a layer is Keras's own and made of layers, rather than of functions."""
    operations = getattr(layer, "operations", [])
    own = type(layer).__module__.startswith("keras.") and not isinstance(layer, keras.layers.Lambda)
    return own and all(isinstance(operation, keras.layers.Layer) for operation in operations)


def _is_independent(layer: Any, inputs: Any) -> bool:
    """Return whether the first row of the result is the same whatever the other rows are; False if it cannot be tried."""
    random = np.random.default_rng(0)
    shape = (TRIED, *(8 if size is None else size for size in inputs.shape[2:]))
    first, second = (random.normal(size=shape) for _ in range(2))
    second[0] = first[0]
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    try:
        with tf.init_scope():
            results = [keras.tree.flatten(layer(np.abs(x).astype(dtype), training=False)) for x in (first, second)]
            return all(np.array_equal(a[0], b[0], equal_nan=True) for a, b in zip(*results, strict=True))
    except (TypeError, ValueError, tf.errors.OpError):
        return False


def _refuse_unknown_steps(layer: Any, inputs: Any) -> None:
    if inputs.shape[1] is None:
        raise UnsupportedError(
            "TFLite needs to know the number of steps",
            where=f"layer {layer.name!r}",
            reason=f"the rows that {layer.layer.name!r} gives depend on each other, so it runs once for each step",
            remedy="give the input of the model a length: --shape NAME=… (in Python: input_signature=)",
        )
