"""Recurrent layers without a loop, for `unroll=True`.

Accelerators and LiteRT's CompiledModel take that form, and neither WHILE nor the variables of the fused LSTM. Each step
has its own copies of the ops, as in Keras. On a CPU that is slower than the loop but for toys (`recurrence`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


def unrolled(
    step: Callable[[Any, list[Any]], tuple[Any, list[Any]]],
    sequences: Any,
    states: Sequence[Any],
    *,
    mask: Any,
    backwards: bool,
    zero_masked: bool,
    every: bool,
) -> tuple[Any, Any, list[Any]]:
    """Apply `step` along axis 1 of `sequences`, whose length is known; arguments and results are those of `recurrence.scan`."""
    length = keras.tree.flatten(sequences)[0].shape[1]
    states, output, outputs = list(states), None, []
    for time in reversed(range(length)) if backwards else range(length):
        output, states = _step(step, sequences, mask, time, output, states, zero_masked)
        outputs.append(output)
    kept = outputs if every else outputs[-1:]
    return output, keras.tree.map_structure(lambda *steps: tf.stack(steps, 1), *kept), states


def _step(
    step: Any, sequences: Any, mask: Any, time: int, before: Any, states: list[Any], zero_masked: bool
) -> tuple[Any, list[Any]]:
    """Return output and states of one step; where the mask is False, those of the step before, or an output of 0."""
    output, after = step(keras.tree.map_structure(lambda s: s[:, time], sequences), states)
    if mask is None:
        return output, after
    zeros = keras.tree.map_structure(tf.zeros_like, output)
    kept = zeros if zero_masked or before is None else before
    valid = mask[:, time]
    chosen = keras.tree.map_structure(lambda new, old: where_valid(valid, new, old), output, kept)
    return chosen, [where_valid(valid, new, old) for new, old in zip(after, states, strict=True)]


def where_valid(valid: Any, new: Any, old: Any) -> Any:
    """Choose by row; `valid` has the shape [batch]."""
    rows = tf.reshape(valid, [-1] + [1] * (new.shape.rank - 1))
    return tf.where(rows, new, old)
