"""Loops: written out, counted, counted by the model, until a condition fails; with specials, with no turns at all."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

STRANGE = np.float32([[np.nan, np.inf, -np.inf], [0.0, -0.0, 3.4e38], [1e30, -1e30, 1e-30], [1, 2, 3]])
VECTOR, COUNT = ((None, 3), "float32"), ((1,), "int32")


def numbers(n):
    return np.array([n], "int32")


def test_few_known_turns_are_written_out():
    def function(x):
        halved = ops.fori_loop(0, 5, lambda n, v: v / 2 + ops.cast(n, v.dtype), x)
        never = ops.fori_loop(5, 2, lambda n, v: v * 0, x)
        late = ops.fori_loop(-2, 2, lambda n, v: v * ops.cast(n, v.dtype), x)
        return halved, never, late

    exported = export(model_of(inside(function), VECTOR))
    for x in (normal(4, 3), STRANGE, normal(0, 3), normal(1, 3)):
        exported.check(x)
    assert "Loop" not in exported.ops
    assert "If" not in exported.ops


def test_many_turns_are_one_loop():
    exported = export(model_of(inside(lambda x: ops.fori_loop(0, 300, lambda n, v: ops.cos(v) + 0.5, x)), VECTOR))
    for x in (normal(4, 3), normal(0, 3)):
        exported.check(x)
    exported.check(STRANGE[:1])
    assert exported.ops["Loop"] == 1


def test_as_many_turns_as_the_model_says():
    """Also none, and fewer than none: then the counter stays where it starts."""

    def function(x, n):
        limit, wide = n[0], tf.cast(n[0], tf.int64)
        last, y = tf.while_loop(lambda i, v: i < limit, lambda i, v: (i + 1, v * 0.5 + x), (3, x))
        far, z = tf.while_loop(
            lambda i, v: i < wide, lambda i, v: (i + 1, v + tf.cast(i, v.dtype)), (tf.constant(-2, tf.int64), x)
        )
        both = tf.while_loop(lambda v: True, lambda v: (v + 1,), (x,), maximum_iterations=limit)[0]
        inside_only = tf.while_loop(lambda i, v: i < n[0], lambda i, v: (i + 1, v - 1), (3, x))
        return last, y, far, z, both, *inside_only

    exported = export(model_of(inside(function), VECTOR, COUNT))
    for n in (10, 4, 3, 2, 0, -7):
        for x in (normal(4, 3), STRANGE, normal(0, 3)):
            exported.check(x, numbers(n))
    assert exported.ops["Loop"] == 4


def test_until_a_condition_fails():
    """Which it does at once where it is computed of NaN."""

    def function(x):
        grown, turns = ops.while_loop(
            lambda v, n: ops.max(ops.abs(v)) < 1000, lambda v, n: (v * 2, n + 1), (x, ops.zeros((), "int32"))
        )
        limited = ops.while_loop(lambda v: ops.max(v) < 1e6, lambda v: v * 3, x, maximum_iterations=4)
        return grown, turns, limited

    exported = export(model_of(inside(function), VECTOR))
    for x in (normal(4, 3), STRANGE, STRANGE[1:2], STRANGE[3:], 1e10 * normal(2, 3)):
        exported.check(x)


def test_variables_that_change_places():
    def function(x, n):
        limit = n[0]
        _, a, b, _ = tf.while_loop(
            lambda i, a, b, fixed: i < limit, lambda i, a, b, fixed: (i + 1, b, a + fixed, fixed), (0, x, 2 * x, x + 1)
        )
        return a, b

    exported = export(model_of(inside(function), VECTOR, COUNT))
    for n in (0, 1, 2, 7):
        exported.check(STRANGE, numbers(n))


def test_counters_of_floats_and_others_steps():
    def function(x, n):
        limit = n[0]
        half, y = tf.while_loop(lambda i, v: i < 4.75, lambda i, v: (i + 1.0, v + tf.cast(i, v.dtype)), (0.5, x))
        two, z = tf.while_loop(lambda i, v: i < limit, lambda i, v: (i + 2, v + tf.cast(i, v.dtype)), (1, x))
        down, w = tf.while_loop(lambda i, v: i > limit, lambda i, v: (i - 1, v + tf.cast(i, v.dtype)), (6, x))
        return half, y, two, z, down, w

    exported = export(model_of(inside(function), VECTOR, COUNT))
    for n in (0, 1, 4, 9):
        exported.check(normal(2, 3), numbers(n))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers_wrap(dtype):
    def function(x):
        return ops.fori_loop(0, 100, lambda n, v: v * 3 + ops.cast(n, dtype), x)

    info = np.iinfo(dtype)
    exported = export(model_of(inside(function), ((None, 3), dtype)))
    exported.check(np.array([[info.max, info.min, 0], [1, -1, 7]], dtype))


def test_shapes_that_grow():
    def function(x, n):
        limit = n[0]
        return tf.while_loop(
            lambda i, v: i < limit,
            lambda i, v: (i + 1, tf.concat([v, v[:1]], 0)),
            (0, x),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, 3])),
        )[1]

    exported = export(model_of(inside(function), VECTOR, COUNT))
    for n in (0, 1, 4):
        exported.check(normal(2, 3), numbers(n))


def test_a_loop_in_a_loop():
    def function(x, n):
        limit = n[0]

        def outer(i, v):
            return i + 1, tf.while_loop(lambda j, w: j < i, lambda j, w: (j + 1, w + v), (0, v))[1] / 2

        return tf.while_loop(lambda i, v: i < limit, outer, (0, x))[1]

    exported = export(model_of(inside(function), VECTOR, COUNT))
    for n in (0, 1, 5):
        exported.check(STRANGE, numbers(n))


def test_a_condition_that_is_constant():
    def function(x):
        limited = tf.while_loop(lambda v: tf.logical_and(True, True), lambda v: (v * 2,), (x,), maximum_iterations=300)[
            0
        ]
        never = tf.while_loop(lambda v: False, lambda v: (v + 1,), (x,))[0]
        return tf.while_loop(lambda v: True, lambda v: (v + 1,), (x,), maximum_iterations=3)[0], limited, never

    exported = export(model_of(inside(function), VECTOR))
    exported.check(STRANGE)
    exported.check(normal(0, 3))


def test_a_loop_that_never_ends_is_refused():
    model = model_of(inside(lambda x: tf.while_loop(lambda v: True, lambda v: (v + 1,), (x,))[0]), VECTOR)
    with pytest.raises(UnsupportedError, match="never ends; give it maximum_iterations") as refusal:
        export(model)
    assert model.layers[-1].name in str(refusal.value)


def test_conditions_of_one_element_in_any_shape():
    """TensorFlow squeezes a condition; where the shape is not known it cannot say that a scalar comes out."""

    def function(n):
        (counted,) = tf.while_loop(lambda i: tf.less(i, 10), lambda i: i + 1, [n])
        chosen = tf.cond(tf.squeeze(n > 3), lambda: counted * 2, lambda: counted)
        return tf.ensure_shape(chosen, [None])

    exported = export(model_of(inside(function), ((None,), "int32")))
    for n in (0, 5, 12):
        exported.check(numbers(n))


def test_an_associative_scan():
    """Each level of its recursion interleaves in a branch, along an axis known outside of it."""
    function = inside(lambda x: tf.ensure_shape(ops.associative_scan(ops.add, x, axis=1), [None, 5]))
    export(model_of(function, ((None, 5), "float32"))).check(normal(3, 5))


def test_a_sequence_that_grows():
    def function(x):
        def longer(n, rows):
            return n + 1, tf.concat([rows, x[n : n + 1] * 2], 0)

        shapes = (tf.TensorShape([]), tf.TensorShape([None, 3]))
        return tf.while_loop(lambda n, _: n < 3, longer, (0, tf.zeros([0, 3])), shape_invariants=shapes)[1]

    export(model_of(inside(function), VECTOR)).check(normal(4, 3))
