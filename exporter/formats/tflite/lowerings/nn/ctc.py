"""Greedy decoding of connectionist temporal classification: the best class of each step, without repeats and blanks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_function, lowers_op


@lowers_function("nn.ctc_decode")
def ctc_decode(
    original: Callable[..., Any],
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> Any:
    """Return the classes [1, batch, steps], -1 behind the last, and minus the sum of the best scores [batch, 1]."""
    if strategy != "greedy":
        return original(inputs, sequence_lengths, strategy, beam_width, top_paths, merge_repeated, mask_index)
    inputs = tf.cast(inputs, tf.float32)
    blank = -1 if mask_index is None else mask_index
    return _decoded(inputs, sequence_lengths, merge_repeated, blank + inputs.shape[-1] if blank < 0 else blank)


def _decoded(inputs: Any, sequence_lengths: Any, merge_repeated: bool, blank: Any) -> tuple[Any, Any]:
    """Return the classes and the scores; the class `blank` counts for none.

    The place of a class is the number of those kept before it; each output compares all places with its own.
    """
    steps = tf.range(tf.shape(inputs)[1])
    valid = steps < tf.cast(sequence_lengths, tf.int32)[:, None]
    best = tf.argmax(inputs, axis=-1, output_type=tf.int32)
    kept = valid & tf.not_equal(best, blank)
    if merge_repeated:
        kept &= tf.not_equal(best, tf.concat([tf.fill(tf.shape(best[:, :1]), -1), best[:, :-1]], axis=1))
    places = tf.cumsum(tf.cast(kept, tf.int32), axis=1) - 1
    here = kept[:, None] & tf.equal(places[:, None], steps[:, None])
    classes = tf.reduce_sum(tf.where(here, best[:, None], 0), axis=2)
    used = tf.reduce_any(here, axis=2)
    scores = -tf.reduce_sum(tf.where(valid, tf.reduce_max(inputs, axis=-1), 0.0), axis=1, keepdims=True)
    return tf.where(used, classes, -1)[None], scores


@lowers_op("CTCGreedyDecoder")
def greedy_decoder(op: Any, inputs: Any, lengths: Any) -> Any:
    """Return TensorFlow's sparse form, of scores [steps, batch, classes]: places, classes, shape; and the scores."""
    scores = tf.transpose(inputs, [1, 0, 2])
    blank, count = op.get_attr("blank_index"), inputs.shape[-1]
    mask = blank if blank >= 0 else blank + (tf.shape(inputs)[-1] if count is None else count)
    classes, best = _decoded(scores, lengths, op.get_attr("merge_repeated"), mask)
    classes = classes[0]
    places = tf.where(classes >= 0)
    values = tf.gather(tf.reshape(classes, [-1]), places[:, 0] * tf.shape(classes, tf.int64)[1] + places[:, 1])
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(classes >= 0, tf.int64), 1))
    return [places, tf.cast(values, tf.int64), tf.stack([tf.shape(classes, tf.int64)[0], longest]), best]
