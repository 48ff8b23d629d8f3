"""QR decomposition by Householder's reflections, one column a turn, with the signs that Eigen and LAPACK choose."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.loops import repeated
from exporter.formats.onnx.builder.scaling import scaled
from exporter.formats.onnx.builder.sizes import joined
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.slicing import Range, sliced
from exporter.formats.onnx.lowerings.math.elimination import matrix_transpose, picked
from exporter.formats.onnx.lowerings.math.matmul import multiplied
from exporter.formats.onnx.lowerings.math.reduction import reduced
from exporter.formats.onnx.registry import lowers_op


@lowers_op("Qr")
def qr(g: Graph, op: Any, a: Value) -> list[Value]:
    """Compute Q and R of a = Q · R."""
    m, n = a.shape[-2:]
    if m is None or n is None:
        raise NotImplementedError("a matrix whose size is not known while exporting")
    rows = np.arange(m).reshape(m, 1)
    batch = [g.dimension(a, axis) for axis in range(a.rank - 2)]
    square = joined(g, [*batch, g.constant([m, m], np.int64)])
    one = g.op("Expand", g.constant(np.eye(m, dtype=a.numpy_dtype)), square, shape=(*a.shape[:-2], m, m))

    def step(g: Graph, turn: Value, states: list[Value]) -> tuple[list[Value], list[Value]]:
        r, q = states
        normal, weight = _reflection(g, r, turn, rows)
        across = g.keras_order(matrix_transpose(normal))
        turned = g.op("Sub", r, g.op("Mul", g.op("Mul", normal, weight), multiplied(g, across, r)), shape=r.shape)
        basis = g.op("Sub", q, g.op("Mul", g.op("Mul", multiplied(g, q, normal), weight), across), shape=q.shape)
        return [turned, basis], []

    small, scale = scaled(g, g.keras_order(a))
    (r, q), _ = repeated(g, min(m, n), [small, one], step)
    r = g.op("Mul", r, scale, shape=r.shape)
    kept = m if op.get_attr("full_matrices") else min(m, n)
    upper = g.constant(np.arange(n) >= rows)
    r = g.op("Where", upper, r, g.constant(0, a.numpy_dtype), shape=r.shape, dtype=a.dtype)
    return [sliced(g, q, [Range(a.rank - 1, 0, kept)]), sliced(g, r, [Range(a.rank - 2, 0, kept)])]


def _reflection(g: Graph, r: Value, turn: Value, rows: np.ndarray) -> tuple[Value, Value]:
    """Return v and 2 / vᵀv of the reflection that turns what is left of a column onto its first element.

    It goes to the far side, so that nothing cancels; where there is nothing to turn the weight is 0.
    """
    zero = g.constant(0, r.numpy_dtype)
    column = picked(g, r, turn, -1)
    first = picked(g, column, turn, -2)
    tail = g.op("Where", g.op("Greater", g.constant(rows), turn), column, zero, dtype=r.dtype)
    rest = reduced(g, "ReduceSum", g.op("Mul", tail, tail), [r.rank - 2], True)
    length = g.op("Sqrt", g.op("Add", g.op("Mul", first, first), rest))
    away = g.op("Where", g.op("Less", first, zero), g.op("Neg", length), length, dtype=r.dtype)
    head = g.op("Add", first, away)
    normal = g.op("Where", g.op("Equal", g.constant(rows), turn), head, tail, dtype=r.dtype)
    size = g.op("Add", g.op("Mul", head, head), rest)
    none = g.op("Equal", rest, zero)
    weight = g.op(
        "Div", g.constant(2, r.numpy_dtype), g.op("Where", none, g.constant(1, r.numpy_dtype), size, dtype=r.dtype)
    )
    return normal, g.op("Where", none, zero, weight, dtype=r.dtype)
