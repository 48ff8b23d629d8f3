"""Random numbers from a fixed seed, which are constants: drawn once, while exporting."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.registry import lowers_op


@lowers_op(
    "StatelessRandomNormalV2",
    "StatelessRandomUniformFullIntV2",
    "StatelessRandomUniformIntV2",
    "StatelessRandomUniformV2",
    "StatelessTruncatedNormalV2",
)
def drawn(op: Any, *inputs: Any) -> Any:
    """Return the numbers, if seed and shape are known."""
    del inputs  # their images are the constants that the traced op has
    value = constant(op.outputs[0])
    if value is None:
        return NotImplemented
    return tf.constant(value if value.dtype != "float64" else value.astype("float32"))
