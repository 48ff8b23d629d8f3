"""Where Keras's graph for a batch of one computes something else than its graph for more rows.

Keras 3.15 takes the second operand of an addition for a bias when all of its sizes but one are 1 and the other is that
of the first operand's second or last axis, whichever axis it stands on. Of [batch, n, 1] + [batch, 1, n], the scores of a
graph attention, a batch of one so becomes [1, n, 1]. For more rows, or an unknown number, it is [batch, n, n].
A model that fixes its batch at one has known nothing else, and keeps what Keras makes of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from exporter.lowerings.override import overridden


@contextlib.contextmanager
def computed_as_many() -> Iterator[None]:
    """Trace a model for one row inside this context as Keras does for more."""
    with overridden({}, {"numpy.add": _add}):
        yield


def _add(original: Callable[..., Any], x1: Any, x2: Any) -> Any:
    """Add with broadcasting where Keras would take rows of the batch for a bias."""
    import keras
    import tensorflow as tf

    if not (tf.is_tensor(x1) and tf.is_symbolic_tensor(x2) and _taken_for_bias(x1.shape, x2.shape) and _of_inputs(x2)):
        return original(x1, x2)
    dtype = keras.backend.result_type(x1.dtype, x2.dtype)
    return tf.add(tf.cast(x1, dtype), tf.cast(x2, dtype))


def _taken_for_bias(x: Any, bias: Any) -> bool:
    """Whether `bias` has one size other than 1, and on another axis than the one that Keras adds it along."""
    if x.rank is None or bias.rank is None or bias.rank < 2 or bias[0] != 1:
        return False
    wide = [axis for axis, size in enumerate(bias) if size != 1]
    if len(wide) != 1 or x.rank < 2:
        return False
    axis = wide[0] - bias.rank
    return bias[axis] in (x[1], x[-1]) and (bias.rank > x.rank or axis != _biased_axis(x, bias[axis]))


def _biased_axis(x: Sequence[int | None], size: int) -> int:
    return -1 if x[-1] == size else 1 - len(x)


def _of_inputs(tensor: Any) -> bool:
    """Whether a tensor depends on an input of its graph: what depends on constants and weights alone has no rows."""
    captured = {id(t.op) for t in tensor.graph.internal_captures}
    seen, left = set(), [tensor.op]
    while left:
        op = left.pop()
        if op.type == "Placeholder" and id(op) not in captured:
            return True
        fresh = [t.op for t in op.inputs if t.op.name not in seen]
        seen |= {op.name for op in fresh}
        left += fresh
    return False
