"""Singular values, eigenvalues of symmetric matrices, pseudo-inverses: Jacobi's rotations.

In each turn n / 2 disjoint pairs of columns are turned at once: column i with column n - 1 - i. Then all columns but the first
move on by one place, so that after n - 1 turns every column has met every other. Ten such rounds are more than enough: the
method converges quadratically. Signs of singular vectors and eigenvectors are nobody's convention, so they are not given out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.lowerings.control_flow.loops import repeated
from exporter.formats.tflite.lowerings.math.matrices import (
    balanced,
    by_batch,
    flattened,
    places,
    sized,
    transposed,
    unflattened,
)
from exporter.formats.tflite.registry import lowers_function, lowers_op

SWEEPS = 10


def _moved_on(n: int) -> np.ndarray:
    """Return which column comes to each place after a turn: the first stays, the others move on by one."""
    return np.array([0, n - 1, *range(1, n - 1)], np.int32)


def _partner(x: Any, axis: int = -1) -> Any:
    return tf.gather(x, places(x.shape[axis])[::-1].copy(), axis=axis)


def _rotations(own: Any, other: Any, product: Any) -> tuple[Any, Any]:
    """Return cosine and tangent of the rotation that makes a pair orthogonal.

    With z = (other - own) / (2 product) it is t = ±1 / (|z| + √(1 + z²)). Both columns of a pair compute it, with opposite
    signs; where z is 0 the first of them takes +.
    """
    n = own.shape[-1]
    side = np.where(np.arange(n) < n / 2, 1, -1).astype("float32")
    done = tf.equal(product, 0.0)
    zeta = (other - own) / tf.where(done, 1.0, product + product)
    sign = tf.where(tf.equal(zeta, 0.0), side, tf.sign(zeta))
    tangent = tf.where(done, 0.0, sign / (tf.abs(zeta) + tf.sqrt(zeta * zeta + 1.0)))
    return 1.0 / tf.sqrt(tangent * tangent + 1.0), tangent


def _turned(x: Any, cosine: Any, tangent: Any, axis: int = -1) -> Any:
    """Rotate pairs along an axis: c (x - t · partner)."""
    return (x - _partner(x, axis) * tangent) * cosine


def orthogonalized(a: Any, below: Any = None) -> Any:
    """Return [batch, m, n] with its columns rotated until they are orthogonal; rows `below` are rotated along with it.

    n must be even; the columns end in the order in which they began.
    """
    m, n = a.shape[-2:]

    def step(turn: Any, states: list[Any]) -> list[Any]:
        columns = states[0][:, :m]
        own = tf.reduce_sum(columns * columns, axis=-2, keepdims=True)
        product = tf.reduce_sum(columns * _partner(columns), axis=-2, keepdims=True)
        rotated = _turned(states[0], *_rotations(own, _partner(own), product))
        return [tf.gather(rotated, _moved_on(n), axis=-1)]

    start = a if below is None else tf.concat([a, below], axis=-2)
    return repeated(SWEEPS * (n - 1), [start], step)[0]


def _pad_to_even(a: Any) -> tuple[Any, int]:
    """Return tall matrices with an even number of columns (one of zeros added if need be), and the number before."""
    count = min(a.shape[-2:])
    tall = transposed(a) if a.shape[-2] < a.shape[-1] else a
    return (tf.pad(tall, [[0, 0], [0, 0], [0, 1]]) if count % 2 else tall), count


def _lengths(columns: Any) -> Any:
    return tf.sqrt(tf.reduce_sum(columns * columns, axis=-2, keepdims=True))


@lowers_op("Svd")
def singular_values(op: Any, a: Any) -> Any:
    """Return the singular values, the largest first; no vectors."""
    if not sized(a) or op.get_attr("compute_uv"):
        return NotImplemented
    scaled, power = balanced(flattened(a))
    tall, count = _pad_to_even(scaled)
    values = tf.math.top_k(_lengths(orthogonalized(tall))[:, 0], count).values / power[:, 0]
    unused = tf.zeros([0])
    return [unflattened(values, a), unused, unused]


@lowers_op("SelfAdjointEigV2")
def eigenvalues(op: Any, a: Any) -> Any:
    """Return the eigenvalues of symmetric matrices, the smallest first, from their lower triangles; no vectors."""
    if not sized(a) or _is_needed(op, 1):
        return NotImplemented
    n = a.shape[-1]
    x, power = balanced(flattened(a))
    x = tf.where(np.tri(n, dtype=bool), x, transposed(x))
    if n % 2:  # one row and column more, of zeros, which never meets a product other than 0 and ends in the last place
        x = tf.pad(x, [[0, 0], [0, 1], [0, 1]])
    turned = repeated(SWEEPS * (n + n % 2 - 1), [x], _symmetric_turn(n + n % 2))[0]
    values = _diagonal(turned, places(n + n % 2))[:, 0, :n]
    ascending = -tf.math.top_k(-values, n).values / power[:, 0]
    return [unflattened(ascending, a), tf.zeros_like(a)]


def _is_needed(op: Any, output: int) -> bool:
    tensor = op.outputs[output]
    return bool(tensor.consumers()) or any(tensor is t for t in op.graph.outputs)


def _symmetric_turn(n: int) -> Callable[[Any, list[Any]], list[Any]]:
    def step(turn: Any, states: list[Any]) -> list[Any]:
        x = states[0]
        own, product = _diagonal(x, places(n)), _diagonal(x, places(n)[::-1])
        cosine, tangent = _rotations(own, _partner(own), product)
        columns = _turned(x, cosine, tangent)
        both = _turned(columns, transposed(cosine), transposed(tangent), axis=-2)
        return [tf.gather(tf.gather(both, _moved_on(n), axis=-1), _moved_on(n), axis=-2)]

    return step


def _diagonal(x: Any, columns: np.ndarray) -> Any:
    """Return element columns[i] of row i, [batch, 1, n]."""
    n = len(columns)
    flat = tf.gather(tf.reshape(x, [-1, n * n]), places(n) * n + columns, axis=-1)
    return flat[:, None]


def _pseudo_inverse(a: Any, cut: float, *, inclusive: bool) -> Any:
    """Return V · S⁺ · Uᵀ for [batch, m, n], where singular values above (or at) `cut` times the largest count."""
    tall, count = _pad_to_even(a)
    rows, size = tall.shape[-2:]
    both = orthogonalized(tall, np.eye(size, dtype="float32") + tf.zeros_like(tall[:, :1]))
    left, right = both[:, :rows], both[:, rows : rows + count]
    lengths = _lengths(left)
    limit = cut * tf.reduce_max(lengths, axis=-1, keepdims=True)
    counts = (lengths >= limit if inclusive else lengths > limit) & (lengths > 0.0)
    squares = tf.where(counts, lengths * lengths, np.float32(np.inf))
    inverse = tf.linalg.matmul(right / squares, left, transpose_b=True)
    return transposed(inverse) if a.shape[-2] < a.shape[-1] else inverse


@lowers_function("linalg.pinv")
def pinv(original: Callable[..., Any], x: Any, rcond: Any = None) -> Any:
    """Return the pseudo-inverse; singular values up to rcond times the largest count as 0."""
    x = tf.convert_to_tensor(x)
    if not sized(x) or not isinstance(rcond, float | int | None):
        return original(x, rcond)
    cut = 10.0 * max(x.shape[-2:]) * float(np.finfo("float32").eps) if rcond is None else float(rcond)

    def inverse(x: Any) -> Any:
        scaled, power = balanced(x)
        return _pseudo_inverse(scaled, cut, inclusive=False) * power

    return by_batch(inverse, x)


@lowers_function("linalg.lstsq")
def least_squares(original: Callable[..., Any], a: Any, b: Any, rcond: Any = None) -> Any:
    """Return the pseudo-inverse of `a` times `b`."""
    a, b = tf.convert_to_tensor(a), tf.convert_to_tensor(b)
    if not sized(a) or a.shape.rank != 2 or not isinstance(rcond, float | int | None):
        return original(a, b, rcond)
    epsilon = float(np.finfo("float32").eps)
    cut = epsilon * max(a.shape) if rcond is None else float(rcond if rcond >= 0 else epsilon)
    scaled, power = balanced(a)
    inverse = _pseudo_inverse(scaled[None], cut, inclusive=True)[0]
    x = tf.linalg.matmul(inverse, b if b.shape.rank == 2 else b[:, None]) * power
    return x if b.shape.rank == 2 else x[:, 0]
