"""Diagonals of matrices, and what lies above or below them."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_op
from exporter.lowerings.onnx.reshaping import unsqueezed
from exporter.lowerings.onnx.sizes import counted, wide
from exporter.lowerings.onnx.static import known_int, known_ints, static_shape
from exporter.lowerings.onnx.value import Constant, Value


def _offset(k: Value) -> int:
    offsets = set(known_ints(k, "which diagonal"))
    if len(offsets) != 1:
        raise NotImplementedError("several diagonals at once")
    return offsets.pop()


def _mask(rows: int | None, columns: int | None, offset: int) -> np.ndarray:
    """Return where the diagonal lies that starts `offset` columns to the right."""
    if rows is None or columns is None:
        raise NotImplementedError("a matrix whose size is not known while exporting")
    return np.eye(rows, columns, offset, dtype=bool)


@lowers_op("MatrixDiagV3")
def matrix_diag(g: Graph, op: Any, diagonal: Value, k: Value, rows: Value, columns: Value, padding: Value) -> Value:
    """A matrix with a given diagonal, `padding` elsewhere."""
    *_, height, width = static_shape(op)
    return _with_diagonal(g, padding, diagonal, _offset(k), (height, width))


@lowers_op("MatrixSetDiagV3")
def matrix_set_diag(g: Graph, op: Any, x: Value, diagonal: Value, k: Value) -> Value:
    """A matrix with its diagonal replaced."""
    return _with_diagonal(g, x, diagonal, _offset(k), (x.shape[-2], x.shape[-1]))


def _with_diagonal(g: Graph, other: Value, diagonal: Value, offset: int, size: tuple[int | None, int | None]) -> Value:
    """Spread the diagonal over the rows, starting with the row where it begins, and choose."""
    mask = _mask(*size, offset)
    length, last = int(mask.sum()), diagonal.rank - 1
    before = max(-offset, 0)
    pads = np.zeros(2 * diagonal.rank, np.int64)
    pads[last], pads[-1] = before, mask.shape[0] - before - length
    column = g.keras_order(diagonal)
    if pads.any():
        shape = (*diagonal.shape[:-1], mask.shape[0])
        column = g.op("Pad", column, pads, g.constant(0, diagonal.numpy_dtype), shape=shape, dtype=diagonal.dtype)
    spread = unsqueezed(g, column, column.rank)
    return g.op("Where", g.constant(mask), spread, other, dtype=diagonal.dtype)


@lowers_op("MatrixDiagPartV3")
def matrix_diag_part(g: Graph, op: Any, x: Value, k: Value, padding: Value) -> Value:
    """The diagonal of a matrix: the matrix as one row, and the elements that lie on the diagonal."""
    mask = _mask(x.shape[-2], x.shape[-1], _offset(k))
    return diagonal_of(g, x, mask)


def diagonal_of(g: Graph, x: Value, mask: np.ndarray) -> Value:
    """Return the elements of matrices where `mask` is true."""
    places = g.constant(np.flatnonzero(mask))
    flat = _flattened(g, x)
    return g.op("Gather", flat, places, shape=(*x.shape[:-2], places.size), axis=x.rank - 2)


def _flattened(g: Graph, x: Value) -> Value:
    count = (x.shape[-2] or 0) * (x.shape[-1] or 0)
    target = g.constant([*[0] * (x.rank - 2), count], np.int64)
    return g.op("Reshape", x, target, shape=(*x.shape[:-2], count))


@lowers_op("MatrixBandPart")
def band_part(g: Graph, op: Any, x: Value, below: Value, above: Value) -> Value:
    """Keep so many diagonals below and above the main one, all of them if negative: the op Trilu(14), or a mask."""
    known_bounds = isinstance(below, Constant) and isinstance(above, Constant)
    if not known_bounds or not g.wants(14):
        return _masked_band(g, x, below, above)
    lower, upper = known_int(below, "the number of diagonals"), known_int(above, "the number of diagonals")
    if lower >= 0:
        x = g.op("Trilu", x, g.constant(-lower, np.int64), shape=x.shape, dtype=x.dtype, upper=1)
    if upper >= 0:
        x = g.op("Trilu", x, g.constant(upper, np.int64), shape=x.shape, dtype=x.dtype, upper=0)
    return x


def _masked_band(g: Graph, x: Value, below: Value, above: Value) -> Value:
    """Keep the elements whose column lies no further from their row than asked."""
    row, column = (counted(g, x, axis) for axis in (x.rank - 2, x.rank - 1))
    distance = g.op("Sub", column, unsqueezed(g, row, 1))
    kept = [
        g.op("Or", g.op("Less", bound, g.constant(0, np.int64)), g.op("LessOrEqual", steps, bound))
        for bound, steps in ((wide(g, below), g.op("Neg", distance)), (wide(g, above), distance))
    ]
    zero = g.constant(0, x.numpy_dtype)
    return g.op("Where", g.op("And", *kept), x, zero, shape=x.shape, dtype=x.dtype)
