"""A fixed number of turns over tensors of fixed shape: one WHILE on builtin ops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Turn = Callable[[Any, list[Any]], list[Any]]


def repeated(count: int, states: Sequence[Any], turn: Turn) -> list[Any]:
    """Return the states after turns 0 to `count` - 1.

    Args:
        count: of turns.
        states: before the first turn.
        turn: takes its number, an int32 vector of one element, and the states; returns the states after it, of equal shapes.
    """

    def body(number: Any, before: list[Any]) -> tuple[Any, list[Any]]:
        after = turn(number, list(before))
        for old, new in zip(states, after, strict=True):
            new.set_shape(old.shape)
        return number + 1, after

    start = tf.zeros([1], tf.int32)
    return tf.while_loop(lambda number, _: number[0] < count, body, (start, list(states)))[1]
