"""Inputs share the name of a first dimension where the model does not compute without, and nowhere else."""

from __future__ import annotations

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers, ops

from exporter import export
from exporter.capture.inference import Inference
from exporter.errors import UsageError
from tests.verification.test_samples import graph_model


def leading(model):
    return Inference(model).leading


def test_a_single_input_is_the_batch():
    x = keras.Input((4,), name="x")
    found = leading(keras.Model(x, layers.Dense(2, name="y")(x)))
    assert (found.inputs, found.outputs, found.apart) == ({"x": "batch"}, {"y": "batch"}, False)


def test_inputs_that_are_joined_have_one_batch():
    a, b, c = (keras.Input((None, 4), name=n) for n in "abc")
    found = leading(keras.Model([a, b, c], layers.Dense(2, name="y")(layers.Concatenate(axis=1)([a, b, c]))))
    assert found.inputs == dict.fromkeys("abc", "batch")
    assert found.outputs == {"y": "batch"}
    assert not found.apart


def test_nodes_and_edges_are_apart():
    found = leading(graph_model())
    assert found.inputs == {"nodes": "batch", "edges": "edges_batch"}
    assert found.outputs == {"link": "edges_batch"}
    assert found.apart


def test_two_inputs_that_go_together_beside_one_that_does_not():
    nodes, head, tail = (
        keras.Input((5,), name="nodes"),
        *(keras.Input((), dtype="int32", name=n) for n in ("head", "tail")),
    )
    y = layers.Dense(1, name="y")(ops.take(nodes, head, axis=0) * ops.take(nodes, tail, axis=0))
    found = leading(keras.Model([nodes, head, tail], y))
    assert found.inputs == {"nodes": "batch", "head": "head_batch", "tail": "head_batch"}
    assert found.outputs == {"y": "head_batch"}


def test_towers_that_never_meet_can_both_be_fixed():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    inference = Inference(keras.Model([a, b], [layers.Dense(2, name="u")(a), layers.Dense(2, name="v")(b)]))
    assert inference.leading.inputs == {"a": "batch", "b": "b_batch"}
    assert inference.leading.outputs == {"u": "batch", "v": "b_batch"}
    assert not inference.leading.apart
    assert [i.shape for i in inference.inputs_for(1)] == [(1, 4), (1, 4)]


class Above(layers.Layer):
    """The rows whose first value is above 0: their number depends on the values."""

    def call(self, x):
        import tensorflow as tf

        return tf.boolean_mask(x, x[:, 0] > -9)

    def compute_output_spec(self, x):
        return keras.KerasTensor((None, x.shape[1]), x.dtype)


def test_a_count_is_no_batch():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, [Above(name="some")(x), layers.Dense(2, name="all")(x)])
    assert leading(model).outputs == {"all": "batch"}


def test_rows_that_are_joined_with_another_axis_are_no_batch():
    x = keras.Input((3, 4), name="x")
    model = keras.Model(x, layers.Lambda(lambda t: ops.reshape(t, (-1, 4)), output_shape=(4,), name="flat")(x))
    assert leading(model).outputs == {}


def test_a_first_dimension_that_is_fixed_beside_the_batch_stays():
    x, at = keras.Input((4,), name="x"), keras.Input(batch_shape=(1,), name="at")
    inference = Inference(keras.Model([x, at], layers.Dense(2)(x) * at))
    assert [i.shape for i in inference.inputs_for(8)] == [(8, 4), (1,)]


def test_sizes_that_differ_are_no_batch():
    nodes, edges = keras.Input(batch_shape=(6, 5)), keras.Input(batch_shape=(10, 2), dtype="int32")
    inference = Inference(keras.Model([nodes, edges], ops.take(nodes, edges[:, 0], axis=0)))
    assert [i.shape for i in inference.inputs_for(1)] == [(6, 5), (10, 2)]
    x = keras.Input(batch_shape=(4, 3), name="x")
    with pytest.raises(UsageError, match="batch=4"):
        Inference(keras.Model(x, layers.Dense(2)(x))).inputs_for(1)


def test_the_files_take_any_number_of_nodes_and_edges(tmp_path):
    model, rng = graph_model(), np.random.default_rng(0)
    own = {"nodes": rng.normal(size=(6, 5)).astype("float32"), "edges": rng.integers(0, 6, (9, 2)).astype("int32")}
    report = export(model, tmp_path / "out", samples=own)
    report.raise_for_status()
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    assert [i.shape[0] for i in session.get_inputs()] == ["batch", "edges_batch"]
    for nodes, edges in ((6, 10), (10, 6), (1, 3)):
        feed = {
            "nodes": rng.normal(size=(nodes, 5)).astype("float32"),
            "edges": rng.integers(0, nodes, (edges, 2)).astype("int32"),
        }
        np.testing.assert_allclose(session.run(None, feed)[0], model(feed).numpy(), atol=1e-5)


def test_an_input_of_one_row_beside_inputs_of_any_batch(tmp_path):
    x, at = keras.Input((4,), name="x"), keras.Input(batch_shape=(1,), dtype="int32", name="at")
    model = keras.Model([at, x], layers.Dense(2, name="y")(x) * ops.cast(at, "float32"))
    export(model, tmp_path / "out").raise_for_status()
