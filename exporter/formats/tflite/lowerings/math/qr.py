"""QR decomposition by Householder's reflections, one column a turn, with the signs that Eigen and LAPACK choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.lowerings.control_flow.loops import repeated
from exporter.formats.tflite.lowerings.math.matrices import flattened, picked, places, sized, transposed, unflattened
from exporter.formats.tflite.registry import lowers_op


@lowers_op("Qr")
def qr(op: Any, a: Any) -> Any:
    """Return Q and R of a = Q · R."""
    if not sized(a):
        return NotImplemented
    m, n = a.shape[-2:]
    rows = places(m)[:, None]

    def step(turn: Any, states: list[Any]) -> list[Any]:
        r, q = states
        normal, weight = _reflection(picked(r, turn, -1), turn, rows)
        across = transposed(normal)
        turned = r - normal * weight * tf.linalg.matmul(across, r)
        return [turned, q - tf.linalg.matmul(q, normal) * weight * across]

    x = flattened(a)
    r, q = repeated(min(m, n), [x, np.eye(m, dtype="float32") + tf.zeros_like(x[..., :1])], step)
    kept = m if op.get_attr("full_matrices") else min(m, n)
    r = tf.where(places(n) >= rows, r, 0.0)
    return [unflattened(q[..., :kept], a), unflattened(r[..., :kept, :], a)]


def _reflection(column: Any, turn: Any, rows: np.ndarray) -> tuple[Any, Any]:
    """Return v and 2 / vᵀv of the reflection that turns what is left of a column onto its first element.

    It goes to the far side, so that nothing cancels; where there is nothing to turn the weight is 0.
    """
    first = picked(column, turn, -2)
    tail = tf.where(tf.greater(rows, turn), column, 0.0)
    rest = tf.reduce_sum(tail * tail, axis=-2, keepdims=True)
    length = tf.sqrt(first * first + rest)
    head = first + tf.where(first < 0.0, -length, length)
    none = tf.equal(rest, 0.0)
    weight = 2.0 / tf.where(none, 1.0, head * head + rest)
    return tf.where(tf.equal(rows, turn), head, tail), tf.where(none, 0.0, weight)
