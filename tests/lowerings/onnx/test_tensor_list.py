"""Lists of tensors: read, written in turn, backwards, in part, before a loop, and mapped over rows."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from keras import ops

from tests.lowerings.onnx.exported import export, inside, model_of, normal

STRANGE = np.float32([[np.nan, np.inf, -np.inf], [0.0, -0.0, 3.4e38], [1e30, -1e30, 1e-30], [1, 2, 3]])
VECTOR, COUNT = ((None, 3), "float32"), ((1,), "int32")
ROWS = (STRANGE, normal(1, 3), normal(5, 3))


def test_outside_loops():
    """Read by constant and computed places, written in any order; what is not written is 0."""

    def function(x, n):
        written = tf.TensorArray(x.dtype, 4, element_shape=x.shape)
        written = written.write(2, x).write(0, x + 1)
        rows = tf.TensorArray(x.dtype, 3, element_shape=x[:, 0].shape).unstack(ops.transpose(x))
        return written.stack(), written.read(2), rows.read(n[0]), rows.gather([2, 0]), rows.stack(), written.size()

    exported = export(model_of(inside(function), VECTOR, COUNT))
    for x in (*ROWS, normal(0, 3)):
        for n in (0, 2):
            exported.check(x, np.array([n], "int32"))
    assert not {"Loop", "SequenceInsert", "SequenceConstruct"} & set(exported.ops)


def collected(x, places, size, count):
    """Write row i of x at places(i)."""
    array = tf.TensorArray(x.dtype, size, element_shape=x[0].shape)
    return tf.while_loop(
        lambda i, a: i < count, lambda i, a: (i + 1, a.write(places(i), x[i] * 2)), (0, array), parallel_iterations=1
    )[1].stack()


def test_written_by_a_loop():
    def function(x):
        n = tf.shape(x)[0]
        forwards = collected(x, lambda i: i, n, n)
        backwards = collected(x, lambda i: n - 1 - i, n, n)
        in_part = collected(x, lambda i: i, n + 2, n)
        apart = collected(x, lambda i: 2 * i, 2 * n, n)
        return forwards, backwards, in_part, apart

    exported = export(model_of(inside(function), VECTOR))
    for x in (*ROWS, normal(0, 3)):
        exported.check(x)
    assert exported.ops["Loop"] == 4
    assert exported.ops["ScatterND"] == 2
    assert "Max" not in exported.ops  # of counters that nobody reads


def test_written_before_a_loop_and_in_it():
    def function(x):
        n = tf.shape(x)[0]
        array = tf.TensorArray(x.dtype, n + 1, element_shape=x[0].shape).write(0, x[0] - 1)
        return tf.while_loop(lambda i, a: i <= n, lambda i, a: (i + 1, a.write(i, x[i - 1])), (1, array))[1].stack()

    exported = export(model_of(inside(function), VECTOR))
    for x in ROWS:
        exported.check(x)


def test_rows_that_a_loop_changes():
    """Row i becomes its double plus the row before it, which is changed already."""

    def function(x):
        rows = tf.TensorArray(x.dtype, 4, clear_after_read=False).unstack(x)

        def body(i, a):
            return i + 1, a.write(i, a.read(i) * 2 + a.read(i - 1))

        return tf.while_loop(lambda i, a: i < 4, body, (1, rows))[1].stack()

    export(model_of(inside(function), ((4, 3), "float32"))).check(normal(4, 3))


def test_mapped_over_rows():
    def function(x, n):
        doubled = ops.map(lambda row: row * 2 + ops.cast(n[0], row.dtype), x)
        several = ops.map(lambda rows: (rows[0] + rows[1], ops.max(rows[0])), (x, x * 2))
        turned = ops.map(lambda row: row - 1, ops.transpose(x))
        return doubled, *several, turned

    exported = export(model_of(inside(function), VECTOR, COUNT))
    for x in (*ROWS, normal(0, 3)):
        exported.check(x, np.array([3], "int32"))


def test_integers_and_truths():
    def function(x):
        return ops.map(lambda v: (v * 3, v > 0), x)

    exported = export(model_of(inside(function), ((None, 2), "int64")))
    info = np.iinfo("int64")
    exported.check(np.array([[info.max, info.min], [0, -1]]))
    exported.check(np.zeros((0, 2), "int64"))
