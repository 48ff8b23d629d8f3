"""keras.ops.scan with any batch: results written by DYNAMIC_UPDATE_SLICE; a TensorArray would need a static shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from exporter.formats.tflite.registry import lowers_function


@lowers_function("core.scan")
def scan(
    original: Callable[..., Any],
    f: Any,
    init: Any,
    xs: Any = None,
    length: Any = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    """Return the last carry, and the results of all steps in the places of what they were computed from."""
    if xs is None or length is not None or not callable(f):
        return original(f, init, xs, length, reverse, unroll)
    inputs = [tf.convert_to_tensor(x) for x in keras.tree.flatten(xs)]
    carry = [tf.convert_to_tensor(c) for c in keras.tree.flatten(init)]
    steps = tf.shape(inputs[0])[0]

    def body(step: Any, carry: list[Any], results: list[Any]) -> tuple[Any, list[Any], list[Any]]:
        place = steps - 1 - step if reverse else step
        now = keras.tree.pack_sequence_as(xs, [tf.gather(x, place) for x in inputs])
        after, result = f(keras.tree.pack_sequence_as(init, carry), now)
        if result is not None:
            results = [_written(r, y, place) for r, y in zip(results, keras.tree.flatten(result), strict=True)]
        return step + 1, keras.tree.flatten(after), results

    results = [tf.zeros(tf.concat([[steps], tf.shape(c)], 0), c.dtype) for c in carry]
    _, carry, results = tf.while_loop(lambda step, *_: step < steps, body, (tf.constant(0), carry, results))
    return keras.tree.pack_sequence_as(init, carry), keras.tree.pack_sequence_as(init, results)


def _written(results: Any, result: Any, place: Any) -> Any:
    """Return `results` with `result` at `place` of the first axis."""
    from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_dynamic_update_slice

    start = tf.stack([place] + [0] * (results.shape.rank - 1))
    updated = xla_dynamic_update_slice(results, tf.cast(result, results.dtype)[None], start)
    updated.set_shape(results.shape)
    return updated
