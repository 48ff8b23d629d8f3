"""Ops left to tf2onnx: put in only if they run and give what TensorFlow gives; else the layer is named, whatever went wrong."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from exporter.errors import UnsupportedError
from exporter.formats.onnx import tf2onnx_check
from exporter.formats.onnx.registry import OPS, Entry
from exporter.registry import import_submodules
from tests.formats.onnx.lowerings.exported import export, inside, model_of

BOXES = np.float32([[0, 0, 1, 1], [0, 0, 1, 0.9], [0, 1, 1, 2], [2, 2, 3, 3]])


def test_a_body_of_a_branch_or_loop_is_taken_over():
    def function(boxes, scores):
        return tf.image.non_max_suppression(boxes, scores, 3, 0.5)

    exported = export(model_of(inside(function), ((None, 4), "float32"), ((None,), "float32")))
    exported.check(BOXES, np.float32([0.9, 0.8, 0.7, 0.6]))


def test_what_gives_something_else_is_refused(monkeypatch):
    """TensorFlow's own result is changed, so that a right conversion counts as a wrong one."""
    right = tf2onnx_check.execute
    monkeypatch.setattr(tf2onnx_check, "execute", lambda op, tensors: [r + 1 for r in right(op, tensors)])
    with pytest.raises(UnsupportedError, match="LRN") as caught:
        export(model_of(inside(tf.nn.local_response_normalization), ((None, 4, 4, 3), "float32")))
    assert "gives something else" in caught.value.reason


@pytest.mark.parametrize(
    "error", [AssertionError("rank"), TypeError("None"), ValueError("axes"), KeyError("x")], ids=repr
)
def test_what_a_lowering_stumbles_over_names_the_layer(monkeypatch, error):
    def stumbles(*_):
        raise error

    import_submodules("exporter.formats.onnx.lowerings")
    monkeypatch.setitem(OPS._entries, "Expm1", Entry(stumbles))
    with pytest.raises(UnsupportedError) as caught:
        export(model_of(inside(lambda x: tf.math.expm1(x) + 1), ((None, 3), "float32")))
    assert caught.value.where.startswith("applied")
    assert caught.value.where.endswith("(Expm1)")
    assert type(error).__name__ in caught.value.reason


def test_what_follows_a_refused_op_tells_nothing_new():
    """A tensor of unknown rank, whose shape is stated afterwards, once ended in an assertion."""

    def function(x):
        return tf.ensure_shape(tf.numpy_function(lambda a: a, [x], tf.float32), [None, 2])

    with pytest.raises(UnsupportedError, match="PyFunc") as caught:
        export(model_of(inside(function), ((None, 2), "float32")))
    assert not caught.value.others
