"""Rows by their numbers: parts of a tensor, and sums of rows that are looked up."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("DynamicPartition")
def partition(op: Any, data: Any, numbers: Any) -> Any:
    """Return the entries of `data` of each number, in their order."""
    if numbers.shape.rank is None:
        return NotImplemented
    rows = tf.reshape(data, tf.concat([[-1], tf.shape(data)[numbers.shape.rank :]], 0))
    flat = tf.reshape(numbers, [-1])
    places = [tf.cast(tf.where(tf.equal(flat, n))[:, 0], tf.int32) for n in range(op.get_attr("num_partitions"))]
    return [tf.gather(rows, place) for place in places]


@lowers_op("SparseSegmentSum", "SparseSegmentSumWithNumSegments")
def segment_sum(op: Any, data: Any, rows: Any, segments: Any, count: Any = None) -> Any:
    """Return the sum of the rows of each segment."""
    return _sums(data, rows, segments, count)[0]


@lowers_op("SparseSegmentMean", "SparseSegmentMeanWithNumSegments")
def segment_mean(op: Any, data: Any, rows: Any, segments: Any, count: Any = None) -> Any:
    """Return the mean of the rows of each segment, 0 for none."""
    total, members = _sums(data, rows, segments, count)
    return total / tf.maximum(members, 1.0)


@lowers_op("SparseSegmentSqrtN", "SparseSegmentSqrtNWithNumSegments")
def segment_sqrt_n(op: Any, data: Any, rows: Any, segments: Any, count: Any = None) -> Any:
    """Return the sum of the rows of each segment, divided by the root of how many they are."""
    total, members = _sums(data, rows, segments, count)
    return total / tf.sqrt(tf.maximum(members, 1.0))


def _sums(data: Any, rows: Any, segments: Any, count: Any) -> tuple[Any, Any]:
    """Return the sums of the rows of each segment, and how many they are in a shape that goes with them."""
    taken, segments = tf.gather(data, rows), tf.cast(segments, tf.int32)
    number = tf.reduce_max(tf.concat([segments, [-1]], 0)) + 1 if count is None else tf.cast(count, tf.int32)
    shape = tf.concat([tf.reshape(number, [1]), tf.shape(taken)[1:]], 0)
    total = tf.scatter_nd(segments[:, None], taken, shape)
    members = tf.scatter_nd(segments[:, None], tf.ones_like(segments, data.dtype), tf.reshape(number, [1]))
    return total, tf.reshape(members, tf.concat([[-1], tf.ones_like(tf.shape(taken)[1:])], 0))
