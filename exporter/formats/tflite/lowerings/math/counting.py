"""Counting, ranking and searching by comparing everything with everything."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("DenseBincount")
def dense_bincount(op: Any, values: Any, size: Any, weights: Any) -> Any:
    """Return how often each of 0 … size - 1 occurs among the last axis, or the sum of the weights at its places.

    Values of [n] or [batch, n], none negative; larger ones are not counted. Weights have the shape of the values, or none.
    """
    if op.get_attr("binary_output"):
        return tf.reduce_max(_counted(values, size, weights[:0]), axis=-2)
    return tf.reduce_sum(_counted(values, size, weights), axis=-2)


@lowers_op("Bincount")
def bincount(op: Any, values: Any, size: Any, weights: Any) -> Any:
    """Return the counts of a flat tensor, as above."""
    return tf.reduce_sum(_counted(tf.reshape(values, [-1]), size, tf.reshape(weights, [-1])), axis=0)


def _counted(values: Any, size: Any, weights: Any) -> Any:
    """Return, for each value and each of 0 … size - 1, the value's weight (1 without weights) where they are equal."""
    found = tf.equal(tf.expand_dims(values, -1), tf.range(size))
    if 0 in weights.shape:
        return tf.cast(found, weights.dtype)
    return tf.where(found, tf.expand_dims(weights, -1), tf.zeros([], weights.dtype))


@lowers_op("LowerBound")
def lower_bound(op: Any, sequence: Any, values: Any) -> Any:
    """Return how many entries of each sorted row are less than each value; rows [batch, n], values [batch, m]."""
    smaller = tf.expand_dims(sequence, 1) < tf.expand_dims(values, 2)
    return tf.reduce_sum(tf.cast(smaller, op.outputs[0].dtype), axis=2)


@lowers_op("UpperBound")
def upper_bound(op: Any, sequence: Any, values: Any) -> Any:
    """Return how many entries of each sorted row are at most each value."""
    smaller = tf.expand_dims(sequence, 1) <= tf.expand_dims(values, 2)
    return tf.reduce_sum(tf.cast(smaller, op.outputs[0].dtype), axis=2)


@lowers_op("InTopKV2", "InTopK")
def in_top_k(op: Any, predictions: Any, targets: Any, k: Any = None) -> Any:
    """Return whether fewer than k classes score above each target; ties count in its favour, as in TensorFlow.

    False where the target is no class, or a score is not finite.
    """
    k = op.get_attr("k") if k is None else tf.cast(k, tf.int32)
    classes = predictions.shape[1]
    if classes is None:
        return NotImplemented
    targets = tf.cast(targets, tf.int32)
    valid = (targets >= 0) & (targets < classes)
    chosen = tf.one_hot(targets, classes, on_value=True, off_value=False, dtype=tf.bool)
    score = tf.reduce_sum(tf.where(chosen, predictions, 0.0), axis=1, keepdims=True)
    above = tf.reduce_sum(tf.cast(predictions > score, tf.int32), axis=1)
    finite = tf.reduce_all(tf.abs(predictions) < float("inf"), axis=1)
    return valid & finite & (above < k)
