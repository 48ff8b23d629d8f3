"""Writing at places, SCATTER_ND and a choice: with infinities and with places named twice.

The converter writes t (1 - mask) + updates, where an infinity of t, at a place that keeps its value or is overwritten,
becomes NaN, and updates of one place are added. Here a SELECT chooses, and only the last update of a place is written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.registry import lowers_op


@lowers_op("TensorScatterUpdate")
def scatter_update(op: Any, tensor: Any, indices: Any, updates: Any) -> Any:
    """Return `tensor` with `updates` at `indices` [..., places, depth]; the last update of a place counts."""
    if not _writable(tensor, indices):
        return NotImplemented
    places, values = _flat(indices, updates)
    named, written = _written(tensor, places, values, _all_different(indices))
    return tf.where(named, written, tensor)


@lowers_op("TensorScatterAdd", "TensorScatterSub")
def scatter_add(op: Any, tensor: Any, indices: Any, updates: Any) -> Any:
    """Return `tensor` plus or minus the sum of the updates of each place."""
    if not _writable(tensor, indices):
        return NotImplemented
    sums = tf.scatter_nd(indices, updates, tf.shape(tensor, out_type=indices.dtype))
    return tensor + sums if op.type == "TensorScatterAdd" else tensor - sums


@lowers_op("TensorScatterMax", "TensorScatterMin")
def scatter_extreme(op: Any, tensor: Any, indices: Any, updates: Any) -> Any:
    """Return the larger or smaller of `tensor` and the updates of each place."""
    if not _writable(tensor, indices):
        return NotImplemented
    largest = op.type == "TensorScatterMax"
    places, values = _flat(indices, updates)
    distinct = _all_different(indices)
    if not distinct:
        same = tf.reduce_all(tf.equal(places[:, None], places[None]), axis=-1)
        same = tf.reshape(same, tf.concat([tf.shape(same), [1] * (values.shape.rank - 1)], 0))
        limits = (-np.inf, np.inf) if tensor.dtype.is_floating else (tensor.dtype.min, tensor.dtype.max)
        candidates = tf.where(same, values[None], tf.constant(limits[0 if largest else 1], tensor.dtype))
        values = (tf.reduce_max if largest else tf.reduce_min)(candidates, axis=1)
    named, written = _written(tensor, places, values, distinct)
    return tf.where(named, (tf.maximum if largest else tf.minimum)(tensor, written), tensor)


def _writable(tensor: Any, indices: Any) -> bool:
    return indices.shape[-1] is not None and tensor.dtype in (tf.float32, tf.int32, tf.int64)


def _flat(indices: Any, updates: Any) -> tuple[Any, Any]:
    """Return the places [n, depth] and what is written there [n, ...]."""
    outer = indices.shape.rank - 1
    values = tf.reshape(updates, tf.concat([[-1], tf.shape(updates)[outer:]], 0))
    return tf.reshape(indices, [-1, indices.shape[-1]]), values


def _written(tensor: Any, places: Any, values: Any, distinct: bool) -> tuple[Any, Any]:
    """Return which elements of `tensor` are named by a place, and the last of the values that each is to take."""
    depth = places.shape[1]
    shape = tf.shape(tensor, out_type=places.dtype)
    written = tf.ones(tf.shape(places)[:1], tf.int32)
    if not distinct:
        last = _last(places)
        values = tf.where(tf.reshape(last, [-1] + [1] * (values.shape.rank - 1)), values, tf.zeros([], values.dtype))
        written = tf.cast(last, tf.int32)
    named = tf.scatter_nd(places, written, shape[:depth]) > 0
    named = tf.reshape(named, tf.concat([tf.shape(named), [1] * (tensor.shape.rank - depth)], 0))
    return named, tf.scatter_nd(places, values, shape)


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
