"""Cholesky decomposition and triangular systems, one column or row a turn."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.control_flow.loops import repeated
from exporter.formats.tflite.lowerings.math.matrices import batched, by_batch, picked, places, sized, transposed
from exporter.formats.tflite.registry import lowers_op


@lowers_op("Cholesky")
def cholesky(op: Any, a: Any) -> Any:
    """Return L of a = L · Lᵀ; NaN where there is none."""
    return by_batch(_decomposed, a) if sized(a) else NotImplemented


def _decomposed(a: Any) -> Any:
    """Each turn takes column l = s / √s_jj of what is left, s, and leaves s - l · lᵀ."""
    numbers = places(a.shape[-1])

    def step(turn: Any, states: list[Any]) -> list[Any]:
        left, factor = states
        column = picked(left, turn, -1)
        scaled = column / tf.sqrt(picked(column, turn, -2))
        taken = tf.where(tf.less(numbers[:, None], turn), 0.0, scaled)
        return [left - taken * transposed(taken), tf.where(tf.equal(numbers, turn), taken, factor)]

    return repeated(a.shape[-1], [a, tf.zeros_like(a)], step)[1]


@lowers_op("MatrixTriangularSolve")
def triangular_solve(op: Any, a: Any, b: Any) -> Any:
    """Return x of a · x = b by substitution, from the first row on for a lower triangle, from the last for an upper one."""
    if not sized(a, b):
        return NotImplemented
    adjoint = bool(op.get_attr("adjoint"))
    lower = bool(op.get_attr("lower")) != adjoint
    pair = batched(transposed(a) if adjoint else a, b)
    return by_batch(lambda a, b: _substituted(a, b, lower), *pair)


def _substituted(a: Any, b: Any, lower: bool) -> Any:
    n = a.shape[-1]
    numbers = places(n)

    def step(turn: Any, states: list[Any]) -> list[Any]:
        x = states[0]
        number = turn if lower else n - 1 - turn
        row = picked(a, number, -2)
        known = tf.where(tf.less(numbers, number) if lower else tf.greater(numbers, number), row, 0.0)
        found = (picked(b, number, -2) - tf.linalg.matmul(known, x)) / picked(row, number, -1)
        return [tf.where(tf.equal(numbers[:, None], number), found, x)]

    return repeated(n, [tf.zeros_like(b)], step)[0]
