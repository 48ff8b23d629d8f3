"""Systems of equations, inverses, determinants and LU: elimination with partial pivoting, one column a turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.lowerings.control_flow.loops import repeated
from exporter.formats.tflite.lowerings.math.matrices import (
    batched,
    by_batch,
    flattened,
    picked,
    places,
    sized,
    transposed,
    unflattened,
)
from exporter.formats.tflite.registry import lowers_op


def _pivot(matrix: Any, turn: Any) -> Any:
    """Return where the largest element of column `turn` stands, from row `turn` on: bool [batch, n, 1]."""
    rows = places(matrix.shape[-2])
    size = tf.where(rows < turn, -1.0, tf.abs(picked(matrix, turn, -1)[..., 0]))
    place = tf.argmax(size, axis=-1, output_type=tf.int32)
    return tf.equal(rows, place[:, None])[..., None]


def _exchanged(x: Any, chosen: Any, turn: Any) -> Any:
    """Return [batch, n, columns] with row `turn` and the chosen row exchanged."""
    there = tf.reduce_sum(tf.where(chosen, x, tf.zeros([], x.dtype)), axis=-2, keepdims=True)
    lowered = tf.where(chosen, picked(x, turn, -2), x)
    return tf.where(_row(x, turn), there, lowered)


def _row(x: Any, turn: Any) -> Any:
    return tf.equal(places(x.shape[-2])[:, None], turn)


def solved(a: Any, b: Any) -> Any:
    """Return x of a · x = b for [batch, n, n] and [batch, n, m], by Gauss and Jordan's elimination of (a | b)."""
    n = a.shape[-1]

    def step(turn: Any, states: list[Any]) -> list[Any]:
        moved = _exchanged(states[0], _pivot(states[0], turn), turn)
        row = picked(moved, turn, -2)
        row /= picked(row, turn, -1)
        return [tf.where(_row(moved, turn), row, moved - picked(moved, turn, -1) * row)]

    return repeated(n, [tf.concat([a, b], axis=-1)], step)[0][..., n:]


@lowers_op("MatrixSolve")
def matrix_solve(op: Any, a: Any, b: Any) -> Any:
    """Return x of a · x = b."""
    if not sized(a, b):
        return NotImplemented
    return by_batch(solved, *batched(transposed(a) if op.get_attr("adjoint") else a, b))


@lowers_op("MatrixInverse")
def matrix_inverse(op: Any, a: Any) -> Any:
    """Return x of a · x = 1."""
    if not sized(a):
        return NotImplemented
    a = transposed(a) if op.get_attr("adjoint") else a
    return by_batch(solved, *batched(a, tf.eye(a.shape[-1])))


def _decomposed(a: Any) -> tuple[Any, Any, Any]:
    """Return L and U in one matrix, the order of the rows [batch, n], and the sign of that permutation [batch]."""
    n = a.shape[-1]
    numbers = places(n)

    def step(turn: Any, states: list[Any]) -> list[Any]:
        matrix, order, sign = states
        chosen = _pivot(matrix, turn)
        moved = _exchanged(matrix, chosen, turn)
        row, column = picked(moved, turn, -2), picked(moved, turn, -1)
        pivot = picked(row, turn, -1)
        factors = column / tf.where(tf.equal(pivot, 0.0), 1.0, pivot)  # the largest is 0: so are all, as in Eigen
        rest = moved - tf.where(numbers > turn, factors * row, 0.0)
        below = tf.where(tf.equal(numbers, turn), factors, rest)
        after = tf.where(tf.greater(numbers[:, None], turn), below, moved)
        stayed = tf.reduce_any(chosen & _row(matrix, turn), axis=[-2, -1])
        return [after, _exchanged(order, chosen, turn), tf.where(stayed, sign, -sign)]

    order = numbers[:, None] + tf.zeros_like(a[..., :1], tf.int32)
    matrix, order, sign = repeated(n, [a, order, tf.ones_like(a[:, 0, 0])], step)
    return matrix, order[..., 0], sign


def _pivots(matrix: Any) -> Any:
    n = matrix.shape[-1]
    return tf.gather(tf.reshape(matrix, [-1, n * n]), places(n) * (n + 1), axis=-1)


@lowers_op("Lu")
def lu(op: Any, a: Any) -> Any:
    """Return L, without its ones, and U in one matrix; and the order of the rows."""
    if not sized(a) or a.shape[-1] != a.shape[-2]:
        return NotImplemented
    matrix, order, _ = _decomposed(flattened(a))
    return [unflattened(matrix, a), tf.cast(unflattened(order, a), op.outputs[1].dtype)]


@lowers_op("MatrixDeterminant")
def determinant(op: Any, a: Any) -> Any:
    """Return the product of the pivots, with the sign of the permutation."""
    if not sized(a):
        return NotImplemented
    matrix, _, sign = _decomposed(flattened(a))
    return unflattened(sign * tf.reduce_prod(_pivots(matrix), axis=-1), a)


@lowers_op("LogMatrixDeterminant")
def log_determinant(op: Any, a: Any) -> Any:
    """Return the sign of the determinant, and the sum of the logarithms of the pivots' sizes."""
    if not sized(a):
        return NotImplemented
    matrix, _, sign = _decomposed(flattened(a))
    pivots = _pivots(matrix)
    signs = sign * tf.reduce_prod(tf.sign(pivots), axis=-1)
    return [unflattened(signs, a), unflattened(tf.reduce_sum(tf.math.log(tf.abs(pivots)), axis=-1), a)]


@lowers_op("InvertPermutation")
def invert_permutation(op: Any, order: Any) -> Any:
    """Return where each of 0 … n - 1 stands in `order`."""
    n = order.shape[0]
    if n is None:
        return NotImplemented
    numbers = np.arange(n, dtype=order.dtype.as_numpy_dtype)
    return tf.reduce_sum(tf.where(tf.equal(order[None], numbers[:, None]), numbers, tf.zeros([], order.dtype)), axis=1)
