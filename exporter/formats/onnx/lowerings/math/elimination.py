"""Systems of equations, inverses, determinants and LU: elimination with partial pivoting, one column a turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.loops import repeated
from exporter.formats.onnx.builder.sizes import joined
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.joining import concatenated
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, transposed
from exporter.formats.onnx.lowerings.array.slicing import LAST, Range, sliced
from exporter.formats.onnx.lowerings.math.reduction import reduced
from exporter.formats.onnx.registry import lowers_op


def matrix_size(x: Value) -> int:
    """Return the number of rows of square matrices."""
    size = x.shape[-1]
    if size is None or x.shape[-2] != size:
        raise NotImplementedError("a matrix whose size is not known while exporting")
    return size


def matrix_transpose(m: Value) -> Value:
    """Return matrices transposed."""
    return transposed(m, [*range(m.rank - 2), m.rank - 1, m.rank - 2])


class Pivot:
    """The pivot of one column of `matrix`, and the matrix with its row moved up.

    Args:
        g: the graph to write into.
        matrix: (..., n, columns).
        turn: number of the column, an int64 vector of one element.

    Attributes:
        row: the pivot row, (..., 1, columns).
        value: the pivot itself, (..., 1, 1).
        is_row: where the row now stands, (n, 1).
        chosen: where it stood, (..., n, 1).
        moved: the matrix with the two rows exchanged.
    """

    def __init__(self, g: Graph, matrix: Value, turn: Value) -> None:
        n = matrix.shape[-2] or 0
        rows = g.constant(np.arange(n).reshape(n, 1))
        column = picked(g, matrix, turn, -1)
        size = g.op(
            "Where",
            g.op("Less", rows, turn),
            g.constant(-1, matrix.numpy_dtype),
            g.op("Abs", column),
            dtype=matrix.dtype,
        )
        place = g.op("ArgMax", size, shape=(*column.shape[:-2], 1, 1), dtype=ir.DataType.INT64, axis=-2, keepdims=1)
        self.is_row, self.chosen = g.op("Equal", rows, turn), g.op("Equal", rows, place)
        self.row = _only(g, matrix, self.chosen)
        self.value = picked(g, self.row, turn, -1)
        self.moved = self.exchange(g, matrix, turn)

    def exchange(self, g: Graph, x: Value, turn: Value) -> Value:
        """Return (..., n, columns) with the same two rows exchanged."""
        here = picked(g, x, turn, -2)
        there = _only(g, x, self.chosen)
        lowered = g.op("Where", self.chosen, here, x, dtype=x.dtype)
        return g.op("Where", self.is_row, there, lowered, shape=x.shape, dtype=x.dtype)


def picked(g: Graph, x: Value, turn: Value, axis: int) -> Value:
    """Return row (axis -2) or column (-1) number `turn`, its axis kept."""
    shape = list(x.shape)
    shape[axis] = 1
    return g.op("Gather", x, turn, shape=tuple(shape), axis=axis % x.rank)


def _only(g: Graph, x: Value, mask: Value) -> Value:
    """Return the one row of `x` where the mask is true."""
    kept = g.op("Where", mask, x, g.constant(0, x.numpy_dtype), shape=x.shape, dtype=x.dtype)
    return reduced(g, "ReduceSum", kept, [x.rank - 2], True)


def solved(g: Graph, a: Value, b: Value) -> Value:
    """Return x of a · x = b by Gauss and Jordan's elimination of (a | b)."""
    n = matrix_size(a)
    both = concatenated(g, [g.keras_order(a), g.keras_order(b)], a.rank - 1, (*b.shape[:-1], _plus(n, b.shape[-1])))

    def step(g: Graph, turn: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
        pivot = Pivot(g, states[0], turn)
        row = g.op("Div", pivot.row, pivot.value)
        rest = g.op("Sub", pivot.moved, g.op("Mul", picked(g, pivot.moved, turn, -1), row))
        return [g.op("Where", pivot.is_row, row, rest, shape=states[0].shape, dtype=row.dtype)], []

    (reduced_rows,), _ = repeated(g, n, [both], step)
    return sliced(g, reduced_rows, [Range(a.rank - 1, n, LAST)])


def _plus(a: int, b: int | None) -> int | None:
    return None if b is None else a + b


@lowers_op("MatrixSolve")
def matrix_solve(g: Graph, op: Any, a: Value, b: Value) -> Value:
    """Solve a · x = b."""
    return solved(g, matrix_transpose(a) if op.get_attr("adjoint") else a, b)


@lowers_op("MatrixInverse")
def matrix_inverse(g: Graph, op: Any, a: Value) -> Value:
    """Solve a · x = 1 for the inverse x."""
    n = matrix_size(a)
    one = g.constant(np.eye(n, dtype=a.numpy_dtype))
    if a.rank > 2:
        sizes = joined(g, [g.dimension(a, axis) for axis in range(a.rank)])
        one_each = g.op("Expand", one, sizes, shape=a.shape)
        return solved(g, matrix_transpose(a) if op.get_attr("adjoint") else a, one_each)
    return solved(g, matrix_transpose(a) if op.get_attr("adjoint") else a, one)


def _decomposed(g: Graph, a: Value) -> tuple[Value, Value, Value, Value]:
    """Return L and U in one matrix, the order of the rows (..., n), the pivots (n, ...), and which turns exchanged rows."""
    n = matrix_size(a)
    rows = g.constant(np.arange(n).reshape(n, 1))
    start = g.constant(np.arange(n).reshape(n, 1))
    sizes = joined(g, [*[g.dimension(a, axis) for axis in range(a.rank - 1)], g.constant([1], np.int64)])
    order = g.op("Expand", start, sizes, shape=(*a.shape[:-1], 1))

    def step(g: Graph, turn: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
        matrix, order = states
        pivot = Pivot(g, matrix, turn)
        zero = g.op("Equal", pivot.value, 0)  # the largest is 0: so are all, and stay it, as in Eigen
        divisor = g.op("Where", zero, g.constant(1, a.numpy_dtype), pivot.value, dtype=a.dtype)
        factors = g.op("Div", picked(g, pivot.moved, turn, -1), divisor)
        right = g.op("Greater", g.constant(np.arange(n)), turn)
        taken = g.op("Where", right, g.op("Mul", factors, pivot.row), g.constant(0, a.numpy_dtype), dtype=a.dtype)
        here = g.op("Equal", g.constant(np.arange(n)), turn)
        left = g.op("Where", here, factors, g.op("Sub", pivot.moved, taken), dtype=a.dtype)
        below = g.op("Greater", rows, turn)
        after = g.op("Where", below, left, pivot.moved, shape=matrix.shape, dtype=a.dtype)
        same = g.cast(g.op("And", pivot.chosen, pivot.is_row), a.dtype)
        stayed = reduced(g, "ReduceSum", same, [same.rank - 2], True)
        return [after, pivot.exchange(g, order, turn)], [_scalar(g, pivot.value), _scalar(g, stayed)]

    (matrix, order), (pivots, stayed) = repeated(g, n, [g.keras_order(a), order], step)
    return matrix, squeezed(g, order, [order.rank - 1]), pivots, stayed


def _scalar(g: Graph, x: Value) -> Value:
    return squeezed(g, x, [x.rank - 2, x.rank - 1])


@lowers_op("Lu")
def lu(g: Graph, op: Any, a: Value) -> list[Value]:
    """Compute L, without its ones, and U in one matrix; and the order of the rows."""
    matrix, order, _, _ = _decomposed(g, a)
    return [matrix, order]


@lowers_op("MatrixDeterminant")
def determinant(g: Graph, op: Any, a: Value) -> Value:
    """The op Det; for float64 the product of the pivots."""
    if a.dtype == ir.DataType.FLOAT:
        return g.op("Det", a, shape=a.shape[:-2])
    _, _, pivots, stayed = _decomposed(g, a)
    return reduced(g, "ReduceProd", g.op("Mul", pivots, _signs(g, stayed)), [0], False)


@lowers_op("LogMatrixDeterminant")
def log_determinant(g: Graph, op: Any, a: Value) -> list[Value]:
    """The sign, and the sum of the logarithms of the pivots' sizes."""
    _, _, pivots, stayed = _decomposed(g, a)
    sign = reduced(g, "ReduceProd", g.op("Mul", g.op("Sign", pivots), _signs(g, stayed)), [0], False)
    return [sign, reduced(g, "ReduceSum", g.op("Log", g.op("Abs", pivots)), [0], False)]


def _signs(g: Graph, stayed: Value) -> Value:
    """Return 1 for turns that exchanged no rows, -1 for those that did."""
    return g.op("Sub", g.op("Mul", stayed, 2), 1)
