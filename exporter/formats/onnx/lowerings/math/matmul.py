"""TensorFlow's products of matrices and vectors."""

from __future__ import annotations

from typing import Any

import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Shape, Value, broadcast_shapes
from exporter.formats.onnx.lowerings.array.joining import concatenated
from exporter.formats.onnx.lowerings.array.reshaping import transposed, unsqueezed
from exporter.formats.onnx.lowerings.array.slicing import indexed
from exporter.formats.onnx.registry import lowers_op

EXACT_IN_FLOAT = 1 << 10  # products of int8, each up to 2¹⁴, whose sum float32 holds exactly


@lowers_op("MatMul")
def matmul(g: Graph, op: Any, a: Value, b: Value) -> Value:
    """MatMul of matrices, each transposed first if TensorFlow says so."""
    return multiplied(g, _turned(a, op.get_attr("transpose_a")), _turned(b, op.get_attr("transpose_b")))


@lowers_op("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def batch_matmul(g: Graph, op: Any, a: Value, b: Value) -> Value:
    """MatMul over leading axes that broadcast."""
    a, b = _turned(a, op.get_attr("adj_x")), _turned(b, op.get_attr("adj_y"))
    if op.type == "BatchMatMulV3" and a.dtype in (ir.DataType.INT8, ir.DataType.UINT8):
        return integer_product(g, a, b)
    return multiplied(g, a, b)


def _turned(x: Value, swap: bool) -> Value:
    return transposed(x, [*range(x.rank - 2), x.rank - 1, x.rank - 2]) if swap else x


def multiplied(g: Graph, a: Value, b: Value) -> Value:
    """Return the matrix product."""
    return g.op("MatMul", a, b, shape=_shape(a, b))


def _shape(a: Value, b: Value) -> Shape:
    batch = broadcast_shapes([a.shape[:-2], b.shape[:-2]]) if a.rank > 2 or b.rank > 2 else ()
    return (*batch, a.shape[-2], b.shape[-1])


def integer_product(g: Graph, a: Value, b: Value) -> Value:
    """Return the product of int8 matrices as int32.

    ONNX Runtime 1.32 multiplies float32 five times as fast as int8 (no VNNI), and exactly while the sums stay below 2²⁴.
    The casts of weights are folded when the file is loaded; on disk they stay int8.
    """
    inner = a.shape[-1]
    if inner is not None and inner <= EXACT_IN_FLOAT:
        product = multiplied(g, _as_float(g, a), _as_float(g, b))
        return g.cast(product, ir.DataType.INT32)
    return g.op("MatMulInteger", a, b, shape=_shape(a, b), dtype=ir.DataType.INT32)


def _as_float(g: Graph, x: Value) -> Value:
    """Cast by a node also what is constant, which keeps the file small."""
    laid = g.keras_order(x)
    if isinstance(laid, Constant):
        return g.raw("Cast", laid, dtype=ir.DataType.FLOAT, to=int(ir.DataType.FLOAT))
    return g.cast(laid, ir.DataType.FLOAT)


@lowers_op("Cross")
def cross(g: Graph, op: Any, a: Value, b: Value) -> Value:
    """The cross product of vectors along the last axis."""
    (a0, a1, a2), (b0, b1, b2) = ([indexed(g, x, x.rank - 1, n) for n in range(3)] for x in (a, b))

    def minor(p: Value, q: Value, r: Value, s: Value) -> Value:
        return g.elementwise("Sub", g.elementwise("Mul", p, s), g.elementwise("Mul", q, r))

    parts = [minor(a1, a2, b1, b2), minor(a2, a0, b2, b0), minor(a0, a1, b0, b1)]
    columns = [unsqueezed(g, part, part.rank) for part in parts]
    return concatenated(g, columns, a.rank - 1, a.shape)
