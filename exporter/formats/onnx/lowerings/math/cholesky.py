"""Cholesky decomposition and triangular systems, one column or row a turn."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.loops import repeated
from exporter.formats.onnx.builder.sizes import joined, sizes_of
from exporter.formats.onnx.builder.value import Value, broadcast_shapes
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, transposed
from exporter.formats.onnx.lowerings.math.elimination import matrix_size, matrix_transpose, picked
from exporter.formats.onnx.lowerings.math.matmul import multiplied
from exporter.formats.onnx.registry import lowers_op


@lowers_op("Cholesky")
def cholesky(g: Graph, op: Any, a: Value) -> Value:
    """Compute L of a = L · Lᵀ: each turn takes column l = s / √s_jj of what is left, s, and leaves s - l · lᵀ."""
    n = matrix_size(a)

    def step(g: Graph, turn: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
        left = states[0]
        column = picked(g, left, turn, -1)
        scaled = g.op("Div", column, g.op("Sqrt", picked(g, column, turn, -2)))
        above = g.op("Less", g.constant(np.arange(n).reshape(n, 1)), turn)
        taken = g.op("Where", above, g.constant(0, a.numpy_dtype), scaled, dtype=a.dtype)
        rest = g.op("Sub", left, g.op("Mul", taken, g.keras_order(matrix_transpose(taken))), shape=left.shape)
        return [rest], [squeezed(g, taken, [taken.rank - 1])]

    _, (columns,) = repeated(g, n, [g.keras_order(a)], step)  # (n, ..., n): columns first
    return transposed(columns, [*range(1, columns.rank), 0])


@lowers_op("MatrixTriangularSolve")
def triangular_solve(g: Graph, op: Any, a: Value, b: Value) -> Value:
    """Solve a · x = b, row after row."""
    adjoint = bool(op.get_attr("adjoint"))
    lower = bool(op.get_attr("lower")) != adjoint
    return substituted(g, matrix_transpose(a) if adjoint else a, b, lower)


def substituted(g: Graph, a: Value, b: Value, lower: bool) -> Value:
    """Solve by substitution, from the first row on for a lower triangle, from the last for an upper one."""
    n = matrix_size(a)
    matrix, right = g.keras_order(a), _batched(g, a, g.keras_order(b))
    places = np.arange(n)
    zeros = g.op("Expand", g.constant(0, b.numpy_dtype), sizes_of(g, right), shape=right.shape)

    def step(g: Graph, turn: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
        x = states[0]
        number = turn if lower else g.op("Sub", g.constant(n - 1, np.int64), turn)
        row = picked(g, matrix, number, -2)
        known = g.op("Less" if lower else "Greater", g.constant(places), number)
        inner = g.op("Where", known, row, g.constant(0, a.numpy_dtype), shape=row.shape, dtype=a.dtype)
        rest = g.op("Sub", picked(g, right, number, -2), multiplied(g, inner, x))
        found = g.op("Div", rest, picked(g, row, number, -1))
        here = g.op("Equal", g.constant(places.reshape(n, 1)), number)
        return [g.op("Where", here, found, x, shape=x.shape, dtype=x.dtype)], []

    (result,), _ = repeated(g, n, [zeros], step)
    return result


def _batched(g: Graph, a: Value, b: Value) -> Value:
    """Return `b` repeated for each matrix in `a`, if it is given once for all of them."""
    if b.rank == a.rank and b.shape[:-2] == a.shape[:-2]:
        return b
    batch = [g.dimension(a, axis) for axis in range(a.rank - 2)]
    sizes = joined(g, [*batch, g.constant([1, 1], np.int64)])
    shape = (*broadcast_shapes([a.shape[:-2], b.shape[:-2]]), *b.shape[-2:])
    return g.op("Expand", b, sizes, shape=shape)
