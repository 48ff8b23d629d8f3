"""Reciprocal square roots of 0: XNNPACK's RSQRT gives NaN (ai-edge-litert 2.3), so that a row of zeros is not normalized to 0.

sqrt(1 / x) is right at 0 and takes the same time; 1 / sqrt(x) the converter would turn into RSQRT again. What is positive
for sure, as a variance plus epsilon is, keeps RSQRT.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("Rsqrt")
def rsqrt(op: Any, x: Any) -> Any:
    """Return sqrt(1 / x): inf at 0."""
    if x.dtype != tf.float32 or _exceeds_zero(op.inputs[0]):
        return NotImplemented
    return tf.sqrt(1.0 / x)


def _exceeds_zero(x: Any) -> bool:
    """Return whether a constant above 0 was added to x, or is its lower bound."""
    if x.op.type not in ("AddV2", "Maximum"):
        return False
    values = [tf.get_static_value(i) for i in x.op.inputs]
    return any(v is not None and bool(np.all(v > 0)) for v in values)
