"""What activations do to their input first: make it a float, keep -Inf away from a gate that is 0 there."""

from __future__ import annotations

import keras
import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value


def as_float(g: Graph, x: Value) -> Value:
    """Return floats as they are, everything else as `keras.config.floatx()`, floats of 16 bits as float32."""
    if x.is_float:
        return x
    return g.cast(x, ir.DataType.DOUBLE if keras.config.floatx() == "float64" else ir.DataType.FLOAT)


def above_negative_infinity(g: Graph, x: Value) -> Value:
    """Replace -Inf by the lowest finite number, which times 0 is 0; NaN and Inf stay.

    Clip takes a bound on one side only, but ONNX Runtime then puts the largest finite number on the other.
    """
    dtype = x.numpy_dtype
    return g.elementwise("Clip", x, g.constant(np.finfo(dtype).min, dtype), g.constant(np.inf, dtype))


def below_infinity(g: Graph, x: Value) -> Value:
    """Replace Inf by the largest finite number; NaN and -Inf stay."""
    dtype = x.numpy_dtype
    return g.elementwise("Clip", x, g.constant(-np.inf, dtype), g.constant(np.finfo(dtype).max, dtype))
