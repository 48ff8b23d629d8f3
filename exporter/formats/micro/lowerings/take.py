"""Rows of a table by their numbers (`take`, Embedding), where negative numbers count from the end.

    i - size · max(min(i, 0), -1)

Keras writes where(i < 0, i + size, i), which becomes a SELECT of integers: TensorFlow Lite Micro selects floats alone.
MINIMUM, MAXIMUM, MUL and SUB give the same integers for all i, also outside of the table. In LiteRT 2.3 they take 2.9 us for
the 2.4 us of 128 rows, so it keeps the SELECT.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def take(original: Callable[..., Any], x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the slices of `x` along `axis` (None: of its elements) that the numbers `indices` name."""
    indices = keras.ops.convert_to_tensor(indices)
    size = math.prod(d or 0 for d in x.shape) if axis is None else x.shape[axis]
    if not isinstance(indices, tf.Tensor) or indices.dtype != tf.int32 or not size:
        return original(x, indices, axis)
    x = keras.ops.convert_to_tensor(x)
    turns = tf.maximum(tf.minimum(indices, 0), -1)
    return tf.gather(tf.reshape(x, [-1]) if axis is None else x, indices - size * turns, axis=axis or 0)
