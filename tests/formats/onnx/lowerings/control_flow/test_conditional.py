"""Branches: known, chosen by the model, by NaN, nested, of other shapes, out of range."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

STRANGE = np.float32([[np.nan, np.inf, -np.inf], [0.0, -0.0, 3.4e38]])
VECTOR, CHOICE = ((None, 3), "float32"), ((1,), "int32")


def test_a_known_branch_is_written_in_place():
    exported = export(model_of(inside(lambda x: ops.cond(x.shape[1] == 3, lambda: x + 1, lambda: x - 1)), VECTOR))
    exported.check(STRANGE)
    assert set(exported.ops) == {"Add"}


def test_branches():
    """A branch may pass on what is outside, transposed too; NaN > 0 is false; rows may be fewer."""

    def function(x):
        above = ops.any(ops.max(x) > 0)
        passed = ops.cond(above, lambda: x, lambda: -x)
        turned = ops.cond(above, lambda: ops.transpose(x), lambda: ops.transpose(ops.exp(x)))
        fewer = tf.cond(above, lambda: x[:1], lambda: x)
        whole = ops.cond(above, lambda: ops.cast(x > 1, "int32"), lambda: ops.zeros_like(x, dtype="int32") - 5)
        truth = ops.cond(ops.logical_not(above), lambda: x > 0, lambda: x <= 0)
        inner = ops.cond(above, lambda: ops.cond(ops.min(x) < -1, lambda: x * 2, lambda: x * 3), lambda: x * 4)
        return passed, turned, fewer, whole, truth, inner

    exported = export(model_of(inside(function), VECTOR))
    for x in (normal(4, 3), -np.abs(normal(2, 3)), STRANGE, STRANGE[1:], normal(1, 3)):
        exported.check(x)
    assert exported.ops["If"] == 7


def test_several_results():
    def function(x):
        return ops.cond(ops.sum(x) > 0, lambda: (x, ops.sum(x), x[:, 0]), lambda: (x - 1, ops.max(x), x[:, 2]))

    exported = export(model_of(inside(function), VECTOR))
    for x in (normal(4, 3), 3 + normal(2, 3), normal(2, 3) - 3):
        exported.check(x)


def test_an_index_out_of_range_means_the_last_branch():
    def function(x, n):
        branches = [lambda v: v + 1, lambda v: v * 2, lambda v: v - 3]
        known = ops.switch(1, branches, x)
        return ops.switch(n[0], branches, x), known, tf.switch_case(n[0], [lambda: x, lambda: -x])

    exported = export(model_of(inside(function), VECTOR, CHOICE))
    for n in (0, 1, 2, 3, -1, 2**31 - 1, -(2**31)):
        exported.check(STRANGE, np.array([n], "int32"))


def test_a_branch_in_a_loop_and_a_loop_in_a_branch():
    def function(x, n):
        def body(i, v):
            return i + 1, tf.cond(i % 2 == 0, lambda: v + 1, lambda: v * x)

        odd = tf.while_loop(lambda i, v: i < n[0], body, (0, x))[1]
        last = tf.cond(
            n[0] > 2, lambda: tf.while_loop(lambda i, v: i < n[0], lambda i, v: (i + 1, v / 2), (0, x))[1], lambda: x
        )
        return odd, last

    exported = export(model_of(inside(function), VECTOR, CHOICE))
    for n in (0, 1, 2, 5):
        exported.check(STRANGE, np.array([n], "int32"))
        exported.check(normal(0, 3), np.array([n], "int32"))
