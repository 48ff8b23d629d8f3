"""Upsampling by nearest neighbour as RESIZE_NEAREST_NEIGHBOR; Keras repeats rows and columns by TILE.

Measured on ai-edge-litert 2.3: 28x28x64 to twice the size 1.5x, 14x14x256 2.6x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from exporter.formats.tflite.registry import lowers_layer


@lowers_layer(keras.layers.UpSampling2D)
def upsampling(original: Callable[..., Any], layer: Any, inputs: Any) -> Any:
    """Replace `UpSampling2D.call` for nearest neighbour, channels last."""
    if layer.interpolation != "nearest" or layer.data_format != "channels_last":
        return original(layer, inputs)
    height, width = ops.shape(inputs)[1:3]
    size = (height * layer.size[0], width * layer.size[1])
    x = ops.cast(inputs, layer.compute_dtype)
    return tf.raw_ops.ResizeNearestNeighbor(images=x, size=tf.stack(size))
