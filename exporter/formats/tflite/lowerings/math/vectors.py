"""Products of vectors in space."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("Cross")
def cross(op: Any, a: Any, b: Any) -> Any:
    """Return the cross product along the last axis, of length 3."""
    a1, a2 = (tf.gather(a, order, axis=-1) for order in ([1, 2, 0], [2, 0, 1]))
    b1, b2 = (tf.gather(b, order, axis=-1) for order in ([1, 2, 0], [2, 0, 1]))
    return a1 * b2 - a2 * b1
