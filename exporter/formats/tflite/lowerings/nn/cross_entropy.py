"""Cross-entropy of class numbers, where the batch is dynamic: the converter's own form needs static shapes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("SparseSoftmaxCrossEntropyWithLogits")
def sparse_cross_entropy(op: Any, logits: Any, labels: Any) -> Any:
    """Return log(sum of e^(l - m)) - (l[label] - m), m the largest of the logits l, and its gradient."""
    classes = logits.shape[-1]
    if classes is None or logits.shape.is_fully_defined():
        return NotImplemented
    chosen = tf.equal(tf.range(classes), tf.cast(labels, tf.int32)[:, None])
    below = logits - tf.reduce_max(logits, axis=-1, keepdims=True)
    powers = tf.exp(below)
    total = tf.reduce_sum(powers, axis=-1)
    loss = tf.math.log(total) - tf.reduce_sum(tf.where(chosen, below, 0.0), axis=-1)
    return [loss, powers / total[:, None] - tf.cast(chosen, logits.dtype)]
