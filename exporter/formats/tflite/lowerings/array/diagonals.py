"""Diagonals of matrices of any size: read by GATHER, written by a SELECT where column - row = k."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op


@lowers_op("MatrixDiagPartV3", "MatrixDiagPartV2", "MatrixDiagPart")
def diagonal(op: Any, x: Any, k: Any = None, padding: Any = None) -> Any:
    """Return one diagonal of the last two axes, every (columns + 1)-th entry of the flattened matrix."""
    del padding
    offsets = np.atleast_1d(tf.get_static_value(k) if k is not None else 0)
    if None in offsets or len(set(offsets.tolist())) > 1 or x.shape.rank is None:
        return NotImplemented
    offset = int(offsets[0])
    *batch, rows, columns = sizes_of(x)
    length = _least(rows + min(offset, 0), columns - max(offset, 0))
    first = max(offset, 0) - min(offset, 0) * columns
    places = first + (tf.range(length) if tf.is_tensor(length) else np.arange(length)) * (columns + 1)
    return tf.gather(tf.reshape(x, tf.stack([*batch, rows * columns])), tf.cast(places, tf.int32), axis=-1)


@lowers_op("MatrixDiagV3", "MatrixDiagV2", "MatrixDiag")
def diagonal_matrix(op: Any, values: Any, k: Any = 0, rows: Any = -1, columns: Any = -1, padding: Any = 0) -> Any:
    """Return the matrix with the values on one diagonal, the k-th above the main one, and the padding elsewhere."""
    offset = _offset(k)
    if offset is None or values.shape.rank is None:
        return NotImplemented
    length = sizes_of(values)[-1]
    least = (length + max(-offset, 0), length + max(offset, 0))
    both = _is_left_open(rows) and _is_left_open(columns)
    height = length + abs(offset) if both else least[0] if _is_left_open(rows) else rows
    width = length + abs(offset) if both else least[1] if _is_left_open(columns) else columns
    return _chosen(values, tf.cast(tf.reshape(padding, []), values.dtype), height, width, offset)


@lowers_op("MatrixSetDiagV3", "MatrixSetDiagV2", "MatrixSetDiag")
def with_diagonal(op: Any, x: Any, values: Any, k: Any = 0) -> Any:
    """Return matrices with other values on one diagonal."""
    offset = _offset(k)
    if offset is None or x.shape.rank is None:
        return NotImplemented
    if values.shape.rank == x.shape.rank:  # one diagonal, as a band of one
        values = values[..., 0, :]
    rows, columns = sizes_of(x)[-2:]
    return _chosen(values, x, rows, columns, offset)


def _chosen(values: Any, other: Any, height: Any, width: Any, offset: int) -> Any:
    """Return [..., height, width] of the values on the diagonal, and of the other numbers, or number, elsewhere."""
    length, size = sizes_of(values)[-1], height if offset >= 0 else width  # the values go along rows, or columns
    padded = tf.pad(values, tf.stack([*[[0, 0]] * (values.shape.rank - 1), [0, size - length]]))
    padded = tf.expand_dims(padded, -1 if offset >= 0 else -2)
    on = tf.equal(tf.range(width)[None] - tf.range(height)[:, None], offset)
    return tf.where(on, padded, other)


def _offset(k: Any) -> int | None:
    """Return which diagonal is meant; None if there are several, or it is unknown."""
    value = k if isinstance(k, int) else tf.get_static_value(k)
    offsets = set(np.atleast_1d(value).tolist())
    return None if None in offsets or len(offsets) > 1 else int(offsets.pop())


def _is_left_open(size: Any) -> bool:
    return bool(np.all((size if isinstance(size, int) else tf.get_static_value(size)) == -1))


def _least(a: Any, b: Any) -> Any:
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else tf.minimum(a, b)
