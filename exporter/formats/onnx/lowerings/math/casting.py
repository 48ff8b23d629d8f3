"""Conversions between dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.math.complex_numbers import Complex, from_real
from exporter.formats.onnx.registry import lowers_op

SHORT = frozenset({ir.DataType.INT8, ir.DataType.UINT8, ir.DataType.INT16, ir.DataType.UINT16})


@lowers_op("Cast")
def cast(g: Graph, op: Any, x: Value) -> Value | Complex:
    """Cast. 16-bit floats are computed as float32, so that casts among floats of up to 32 bits vanish."""
    if op.get_attr("DstT").is_complex:
        wide = op.get_attr("DstT").name == "complex128"
        return from_real(g, g.cast(x, ir.DataType.DOUBLE if wide else ir.DataType.FLOAT))
    wanted = held_as(op.get_attr("DstT"))
    return saturated(g, x, wanted) if x.is_float and wanted in SHORT else g.cast(x, wanted)


def saturated(g: Graph, x: Value, wanted: ir.DataType) -> Value:
    """Return floats as short integers the way TensorFlow does: by way of int32, limited to what the type holds."""
    bounds = np.iinfo(wanted.numpy())
    low, high = g.constant(bounds.min, np.int32), g.constant(bounds.max, np.int32)
    return g.cast(g.elementwise("Clip", g.cast(x, ir.DataType.INT32), low, high), wanted)


@lowers_op("Bitcast")
def bitcast(g: Graph, op: Any, x: Value) -> Value:
    """The same bits read as another type of the same width: BitCast(26)."""
    wanted = op.get_attr("type")
    same_width = op.inputs[0].dtype.size == wanted.size
    if op.inputs[0].dtype.name in ("float16", "bfloat16") or wanted.name in ("float16", "bfloat16"):
        raise NotImplementedError("the bits of 16-bit floats are lost, they are computed as float32")
    if not same_width or wanted.is_bool or wanted.is_complex:
        raise NotImplementedError("bits can only be read as a number of the same width")
    if x.dtype == held_as(wanted):
        return x
    if not g.supports_opset(26):
        raise NotImplementedError("reading bits as another type needs opset 26")
    return g.elementwise("BitCast", x, dtype=held_as(wanted), to=int(held_as(wanted)))


def held_as(dtype: Any) -> ir.DataType:
    """Return the type in which a tensor of a TensorFlow dtype is computed."""
    if dtype.is_complex:
        raise NotImplementedError("ONNX has no complex numbers")
    if dtype.name == "string":
        raise NotImplementedError("numbers cannot become text")
    narrow = dtype.name in ("float16", "bfloat16")
    return ir.DataType.FLOAT if narrow else ir.DataType.from_numpy(np.dtype(dtype.as_numpy_dtype))
