"""max(min(x, high), 0) as min(max(x, 0), high): the maximum becomes part of the convolution or product before it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.fusions.patterns import number, spelled
from exporter.formats.tflite.registry import lowers_op


@lowers_op("Maximum")
def clipped(op: Any, a: Any, b: Any) -> Any:
    """Take the minimum last, if the bounds are numbers, the lower one 0 and not the higher."""
    found = spelled([a, b], [("Minimum", "x", "high"), 0.0]) or spelled([b, a], [("Minimum", "x", "high"), 0.0])
    if found is None or a.dtype != tf.float32:
        return NotImplemented
    x, high = found["x"], number(found["high"])
    if high is None:
        x, high = found["high"], number(found["x"])
    return tf.minimum(tf.nn.relu(x), high) if high is not None and high > 0 else NotImplemented
