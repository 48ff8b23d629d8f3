"""Lists of tensors: read, written in turn, backwards, in part, before a loop, and mapped over rows."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

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


def test_written_before_a_loop_and_in_it_anywhere():
    """What the loop writes takes the place of what was there; a place between stays 0."""

    def written(x, early, place):
        n = tf.shape(x)[0]
        array = tf.TensorArray(x.dtype, 2 * n + 3, element_shape=x[0].shape)
        for number in early:
            array = array.write(number, x[0] - 1)
        body = lambda i, a: (i + 1, a.write(place(i, n), x[i - 1]))  # noqa: E731
        return tf.while_loop(lambda i, a: i <= n, body, (1, array))[1].stack()

    def function(x):
        return [
            written(x, [0], lambda i, n: n - i + 1),
            written(x, [0, 2], lambda i, n: 2 * i),
            written(x, [0, 2], lambda i, n: i),
            written(x, [0, 1], lambda i, n: i + 1),
            written(x, [1], lambda i, n: 0),
            written(x, [0], lambda i, n: i // 2),
        ]

    exported = export(model_of(inside(function), VECTOR))
    for x in ROWS:
        exported.check(x)


def test_of_several_writes_at_one_place_the_last_stays():
    """In whatever order threads would scatter them: 2,000 rows are enough for ONNX Runtime to share them out."""

    def function(x):
        n = tf.shape(x)[0]
        return collected(x, lambda i: i // 500, n, n)

    exported = export(model_of(inside(function), ((None, 256), "float32")))
    for rows in (2000, 1, 0):
        exported.check(normal(rows, 256))
    assert exported.ops["ScatterElements"] == 1
    with pytest.raises(UnsupportedError, match="opset 18"):
        export(model_of(inside(function), VECTOR), opset=17)


def test_written_twice_a_turn_and_read_while_it_is_written():
    def function(x):
        n = tf.shape(x)[0]
        array = tf.TensorArray(x.dtype, 2 * n, element_shape=x[0].shape, clear_after_read=False)
        both = tf.while_loop(
            lambda i, a: i < n, lambda i, a: (i + 1, a.write(2 * i, x[i]).write(2 * i + 1, -x[i])), (0, array)
        )[1]
        sums = tf.while_loop(
            lambda i, a: i < n, lambda i, a: (i + 1, a.write(i, a.read(i - 1) + x[i])), (1, array.write(0, x[0]))
        )[1]
        sized = tf.while_loop(
            lambda i, a: i < n, lambda i, a: (i + 1, a.write(i, x[i] + tf.cast(a.size(), x.dtype))), (0, array)
        )[1]
        return both.stack(), sums.stack(), sized.stack(), sums.read(0)

    exported = export(model_of(inside(function), VECTOR))
    for x in ROWS:
        exported.check(x)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32"])
def test_read_while_it_is_written_with_rows_of_dynamic_shape(dtype):
    """The first row, written before the loop, tells the shape."""

    def function(x):
        array = tf.TensorArray(x.dtype, 20, clear_after_read=False).write(0, x[:, 0])
        swapped = lambda i, a: (i + 1, a.write(i, tf.where(x[:, i] > x[:, i - 1], a.read(i - 1), x[:, i])))  # noqa: E731
        array = tf.while_loop(lambda i, a: i < 20, swapped, (1, array))[1]
        return tf.transpose(array.stack())

    exported = export(model_of(inside(function), ((None, 20), dtype)))
    numbers = np.random.default_rng(0).integers(-9, 9, (3, 20)).astype(dtype)
    exported.check(numbers)
    exported.check(numbers[:0])


def test_written_by_a_branch_and_by_an_inner_loop():
    def function(x):
        n = tf.shape(x)[0]
        array = tf.TensorArray(x.dtype, 3 * n, element_shape=[])

        def outer(i, a):
            inner = lambda j, a: (j + 1, a.write(3 * i + j, x[i, j] * 2))  # noqa: E731
            return i + 1, tf.while_loop(lambda j, a: j < 3, inner, (0, a))[1]

        def sometimes(i, a):
            return i + 1, tf.cond(x[i, 0] > 0, lambda: a.write(i, x[i, 1]), lambda: a)

        return [tf.while_loop(lambda i, a: i < n, body, (0, array))[1].stack() for body in (outer, sometimes)]

    exported = export(model_of(inside(function), VECTOR))
    for x in (*ROWS, normal(0, 3)):
        exported.check(x)


def test_always_written_at_one_place():
    """Which was not written before: it must not get lost."""

    def function(x):
        array = tf.TensorArray(x.dtype, 3, element_shape=x[0].shape).write(1, x[0])
        body = lambda i, a: (i + 1, a.write(0, x[i]))  # noqa: E731
        return tf.while_loop(lambda i, a: i < tf.shape(x)[0], body, (0, array))[1].stack()

    exported = export(model_of(inside(function), VECTOR))
    for x in ROWS:
        exported.check(x)


def test_growing():
    def grown(x, place, size=0, early=False):
        n = tf.shape(x)[0]
        array = tf.TensorArray(x.dtype, size, dynamic_size=True, element_shape=x[0].shape)
        array = array.write(0, x[0] - 1) if early else array
        body = lambda i, a: (i + 1, a.write(place(i, n), x[i - 1]))  # noqa: E731
        return tf.while_loop(lambda i, a: i <= n, body, (1, array))[1].stack()

    def function(x):
        return [
            grown(x, lambda i, n: i - 1),
            grown(x, lambda i, n: i - 1, size=3),
            grown(x, lambda i, n: i, early=True),
            grown(x, lambda i, n: n - i),
            grown(x, lambda i, n: 2 * i, size=1, early=True),
        ]

    exported = export(model_of(inside(function), VECTOR))
    for x in ROWS:
        exported.check(x)


def test_refusals_tell_a_remedy():
    def unknown(x):
        array = tf.TensorArray(x.dtype, 300, clear_after_read=False)
        body = lambda i, a: (i + 1, a.write(i, x[:, i]).write(i // 2, x[:, i]))  # noqa: E731
        return tf.while_loop(lambda i, a: i < 300, body, (0, array))[1].stack()

    def growing(x):
        array = tf.TensorArray(x.dtype, 0, dynamic_size=True, element_shape=[None], clear_after_read=False)
        body = lambda i, a: (i + 1, a.write(i, a.read(i - 1) + x[:, i]))  # noqa: E731
        return tf.while_loop(lambda i, a: i < 300, body, (1, array.write(0, x[:, 0])))[1].stack()

    for function, remedy in ((unknown, "element_shape without None"), (growing, "give tf.TensorArray its size")):
        model = model_of(inside(function), ((None, 300), "float32"))
        with pytest.raises(UnsupportedError, match=remedy) as refusal:
            export(model)
        assert model.layers[-1].name in str(refusal.value)
        assert not refusal.value.others


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
