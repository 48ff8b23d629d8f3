"""Diagonals of matrices, and what lies above or below them."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.index import Index, entry, index, size_of
from exporter.formats.onnx.builder.sizes import counted, wide
from exporter.formats.onnx.builder.static import known_int, known_ints
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.math.dynamic_diagonals import Band
from exporter.formats.onnx.registry import lowers_op


def _band(g: Graph, op: Any, k: Value, rows: Index, columns: Index) -> Band:
    offsets = known_ints(k, "which diagonal")
    align = op.get_attr("align").decode() if op.type.endswith("V3") else "LEFT_LEFT"
    return Band(offsets[0], offsets[-1], align, rows, columns)


def _mask(band: Band) -> np.ndarray | None:
    """Return where the diagonal lies, if it is one of matrices of known size."""
    if band.low != band.high or band.rows.known is None or band.columns.known is None:
        return None
    return np.eye(band.rows.known, band.columns.known, band.low, dtype=bool)


@lowers_op("MatrixDiagV3", "MatrixDiagV2")
def matrix_diag(g: Graph, op: Any, diagonal: Value, k: Value, rows: Value, columns: Value, padding: Value) -> Value:
    """Matrices with given diagonals, `padding` elsewhere."""
    offsets = known_ints(k, "which diagonal")
    band = _band(g, op, k, *_extent(g, size_of(g, diagonal, diagonal.rank - 1), offsets, [rows, columns]))
    if (mask := _mask(band)) is not None:
        return _with_diagonal(g, padding, diagonal, band.low, mask)
    return band.spread(g, diagonal, padding)


def _extent(g: Graph, longest: Index, offsets: list[int], given: list[Value]) -> list[Index]:
    """Return rows and columns: as they are given, or, where -1, as the diagonals need them."""
    needed = [longest - min(offsets[-1], 0), longest + max(offsets[0], 0)]
    sizes = [index(g, size) if size.rank == 0 else entry(g, size, 0) for size in given]
    if all(size.known == -1 for size in sizes):
        needed = [needed[0].at_least(needed[1])] * 2
    if longest.known is None and any(offsets) and any(size.known == -1 for size in sizes):
        raise NotImplementedError(
            "TensorFlow reckons with a wrong shape where the diagonals have a dynamic length; give num_rows and num_cols"
        )
    return [n if size.known == -1 else size for n, size in zip(needed, sizes, strict=True)]


@lowers_op("MatrixDiag")
def matrix_diag_alone(g: Graph, op: Any, diagonal: Value) -> Value:
    """Square matrices with given main diagonals."""
    size = size_of(g, diagonal, diagonal.rank - 1)
    zero = g.constant(0, diagonal.numpy_dtype)
    return Band(0, 0, "LEFT_LEFT", size, size).spread(g, diagonal, zero)


@lowers_op("MatrixSetDiagV3", "MatrixSetDiagV2")
def matrix_set_diag(g: Graph, op: Any, x: Value, diagonal: Value, k: Value) -> Value:
    """Matrices with their diagonals replaced."""
    band = _band(g, op, k, size_of(g, x, x.rank - 2), size_of(g, x, x.rank - 1))
    if (mask := _mask(band)) is not None:
        return _with_diagonal(g, x, diagonal, band.low, mask)
    return _replaced(g, x, diagonal, band)


@lowers_op("MatrixSetDiag")
def matrix_set_main(g: Graph, op: Any, x: Value, diagonal: Value) -> Value:
    """Matrices with their main diagonals replaced."""
    return _replaced(g, x, diagonal, Band(0, 0, "LEFT_LEFT", size_of(g, x, x.rank - 2), size_of(g, x, x.rank - 1)))


def _replaced(g: Graph, x: Value, diagonal: Value, band: Band) -> Value:
    spread = band.spread(g, diagonal, g.constant(0, x.numpy_dtype))
    return g.op("Where", band.mask(g), spread, x, shape=x.shape, dtype=x.dtype)


def _with_diagonal(g: Graph, other: Value, diagonal: Value, offset: int, mask: np.ndarray) -> Value:
    """Spread the diagonal over the rows, starting with the row where it begins, and choose."""
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


@lowers_op("MatrixDiagPartV3", "MatrixDiagPartV2")
def matrix_diag_part(g: Graph, op: Any, x: Value, k: Value, padding: Value) -> Value:
    """Diagonals of matrices: a matrix as one row, and the elements that lie on the diagonal."""
    band = _band(g, op, k, size_of(g, x, x.rank - 2), size_of(g, x, x.rank - 1))
    mask = _mask(band)
    return band.taken(g, x, padding) if mask is None else diagonal_of(g, x, mask)


@lowers_op("MatrixDiagPart")
def main_diagonal(g: Graph, op: Any, x: Value) -> Value:
    """The main diagonal of matrices."""
    band = Band(0, 0, "LEFT_LEFT", size_of(g, x, x.rank - 2), size_of(g, x, x.rank - 1))
    return band.taken(g, x, g.constant(0, x.numpy_dtype))


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
    if not known_bounds or not g.supports_opset(14):
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
