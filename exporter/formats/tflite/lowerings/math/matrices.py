"""Square matrices and their rows and columns, as the decompositions take them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

EVERYDAY = 32  # numbers between 2^-32 and 2^32
POWER = 80  # leaves others between 2^-48 and 2^48


def sized(*matrices: Any) -> bool:
    """Return whether these are real matrices of known size."""
    return all(m.dtype == tf.float32 and None not in m.shape[-2:] for m in matrices)


def places(n: int) -> np.ndarray:
    """Return 0 … n - 1."""
    return np.arange(n, dtype=np.int32)


def flattened(x: Any) -> Any:
    """Return [..., m, n] as [batch, m, n]: TFLite's kernels broadcast a few axes only."""
    return tf.reshape(x, [-1, *x.shape[-2:]])


def unflattened(result: Any, like: Any, drop: int = 2) -> Any:
    """Return [batch, …] with the axes of `like` but its last `drop` in place of the batch."""
    sizes = [tf.shape(like)[: like.shape.rank - drop], result.shape[1:].as_list()]
    return tf.reshape(result, tf.concat(sizes, 0))


def picked(x: Any, number: Any, axis: int) -> Any:
    """Return row (axis -2) or column (-1) `number`, an int32 vector of one element; its axis is kept."""
    return tf.gather(x, number, axis=axis)


def balanced(x: Any, axes: Sequence[int] = (-2, -1)) -> tuple[Any, Any]:
    """Return x times a power of two, and that power: squares of the result neither overflow nor vanish.

    The power is one of three, so that nothing is rounded, and 1 for everyday numbers; it is common to what lies along `axes`.
    """
    size = tf.abs(x)
    size = tf.reduce_max(size, axis=list(axes), keepdims=True) if axes else size
    power = tf.where(size > 2.0**EVERYDAY, 2.0**-POWER, tf.where(size < 2.0**-EVERYDAY, 2.0**POWER, 1.0))
    return x * power, power


def transposed(x: Any) -> Any:
    """Return matrices transposed."""
    return tf.linalg.matrix_transpose(x)


def batched(a: Any, b: Any) -> tuple[Any, Any]:
    """Return two tensors of matrices, each repeated for the axes that only the other one has."""
    if a.shape.rank == b.shape.rank and a.shape[:-2].as_list() == b.shape[:-2].as_list():
        return a, b
    return a + tf.zeros_like(b[..., :1, :1]), b + tf.zeros_like(a[..., :1, :1])


def by_batch(function: Callable[..., Any], *matrices: Any) -> Any:
    """Apply a function of [batch, m, n] to [..., m, n], all with the same first axes; it returns [batch, m', n']."""
    return unflattened(function(*map(flattened, matrices)), matrices[0])
