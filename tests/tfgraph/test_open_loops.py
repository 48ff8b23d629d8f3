"""Loops that end, loops that may not, and what becomes of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter import export
from exporter.capture.inference import Inference
from exporter.errors import UnsupportedError
from exporter.tfgraph import open_loops
from exporter.tfgraph.open_loops import has_open_loop, run_with_limit


def doubled_until_large(x):
    return tf.while_loop(lambda v: tf.reduce_max(tf.abs(v)) < 1000.0, lambda v: (v * 2,), (x,))[0]


def counted(x):
    return tf.while_loop(lambda i, v: i < tf.shape(x)[0], lambda i, v: (i + 1, v * 2), (0, x))[1]


def limited(x):
    return tf.while_loop(lambda v: tf.reduce_max(v) < 9.0, lambda v: (v * 2,), (x,), maximum_iterations=4)[0]


def inside_another(x):
    return tf.cond(tf.size(x) > 3, lambda: doubled_until_large(x), lambda: x)


@pytest.mark.parametrize(
    ("function", "is_open"),
    [(doubled_until_large, True), (inside_another, True), (counted, False), (limited, False)],
)
def test_which_loops_may_not_end(function, is_open):
    concrete = tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec((None, 3)))
    assert has_open_loop(concrete.graph) == is_open


def test_recurrent_layers_count():
    x = keras.Input((None, 3), name="x")
    assert not Inference(keras.Model(x, layers.LSTM(2)(x))).may_not_end


def test_a_run_is_cancelled_and_the_next_is_not(monkeypatch):
    monkeypatch.setattr(open_loops, "SECONDS", 0.5)
    concrete = tf.function(doubled_until_large, autograph=False).get_concrete_function(tf.TensorSpec((None, 3)))
    with pytest.raises(UnsupportedError, match="still running"):
        run_with_limit(lambda: concrete(tf.zeros((2, 3))))
    assert run_with_limit(lambda: concrete(tf.ones((2, 3)))).numpy().tolist() == [[1024.0] * 3] * 2


@keras.saving.register_keras_serializable("test_open_loops")
class Doubled(layers.Layer):
    def call(self, x):
        return ops.while_loop(lambda v: ops.max(ops.abs(v)) < 1000, lambda v: (v * 2,), (x,))[0]


def test_a_model_that_does_not_end_on_zeros_is_exported(tmp_path, monkeypatch):
    monkeypatch.setattr(open_loops, "SECONDS", 0.5)
    x = keras.Input((3,), name="x")
    model = keras.Model(x, Doubled()(x))
    report = export(model, tmp_path / "out", formats=("onnx",), samples=np.ones((2, 3), "float32"))
    report.raise_for_status()
    assert any("loop was still running" in note for note in report["onnx"].parity.notes), report["onnx"].parity.notes
    assert Inference(model).may_not_end


def test_own_data_have_all_the_time_they_need(monkeypatch):
    """A loop that takes long on the user's own rows is no loop that never ends."""
    monkeypatch.setattr(open_loops, "SECONDS", 0.0)
    x = keras.Input((3,), name="x")
    inference = Inference(keras.Model(x, Doubled()(x)))
    with pytest.raises(UnsupportedError, match="still running"):
        inference.try_on({"x": np.zeros((2, 3), "float32")})
    (found,) = inference.predict({"x": np.full((2, 3), 1e-30, "float32")}).values()
    assert found.min() >= 1000
