"""Writing at places: TENSOR_SCATTER_UPDATE with infinities and with places named twice.

The converter writes t (1 - mask) + updates, where an infinity of t, at a place that keeps its value or is overwritten,
becomes NaN, and updates of one place are added. Here a SELECT chooses, and only the last update of a place is written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.lowerings.tflite import lowers_op
from exporter.lowerings.tflite.constants import constant


@lowers_op("TensorScatterUpdate")
def scatter_update(op: Any, tensor: Any, indices: Any, updates: Any) -> Any:
    """Return `tensor` with `updates` at `indices` [..., places, depth]; the last update of a place counts."""
    depth = indices.shape[-1]
    if depth is None or tensor.dtype not in (tf.float32, tf.int32, tf.int64):
        return NotImplemented
    outer = indices.shape.rank - 1
    places = tf.reshape(indices, [-1, depth])
    values = tf.reshape(updates, tf.concat([[-1], tf.shape(updates)[outer:]], 0))
    shape = tf.shape(tensor, out_type=indices.dtype)
    written = tf.ones(tf.shape(places)[:1], tf.int32)
    if not _all_different(indices):
        last = _last(places)
        trailing = [1] * (values.shape.rank - 1)
        values = tf.where(tf.reshape(last, [-1, *trailing]), values, tf.zeros([], values.dtype))
        written = tf.cast(last, tf.int32)
    mask = tf.scatter_nd(places, written, shape[:depth]) > 0
    mask = tf.reshape(mask, tf.concat([tf.shape(mask), [1] * (tensor.shape.rank - depth)], 0))
    return tf.where(mask, tf.scatter_nd(places, values, shape), tensor)


def _all_different(indices: Any) -> bool:
    """Whether no place is named twice, as far as it is known."""
    if indices.shape[:-1].num_elements() == 1:
        return True
    value = constant(indices)
    if value is None:
        return False
    rows = value.reshape(-1, value.shape[-1])
    return len(np.unique(rows, axis=0)) == len(rows)


def _last(places: Any) -> Any:
    """Return which of the places [n, depth] are not named again further down."""
    same = tf.reduce_all(tf.equal(places[:, None], places[None]), axis=-1)
    count = tf.range(tf.shape(places)[0])
    later = count[None] > count[:, None]
    return tf.logical_not(tf.reduce_any(tf.logical_and(same, later), axis=1))
