"""A file of one row computes what Keras computes for that row among others."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter import export
from exporter.capture.inference import Inference

NODES = (5, 4)


def graph_attention(nodes=NODES, **options):
    """Scores of each node for each other: [batch, n, 1] + [batch, 1, n]."""
    x = keras.Input(nodes, name="nodes", **options)
    own, others = layers.Dense(1)(x), layers.Dense(1)(x)
    scores = ops.leaky_relu(own + ops.transpose(others, (0, 2, 1)))
    return keras.Model(x, ops.matmul(ops.softmax(scores), x))


def values(rows):
    return np.random.default_rng(0).normal(size=(rows, *NODES)).astype("float32")


def test_keras_takes_one_row_for_a_bias():
    """If this fails, Keras has mended it, and `keras_patches.ONE_ROW` can go."""
    with pytest.raises(Exception, match="size-incompatible"):
        graph_attention()(values(1))


def test_one_row_is_computed_as_many():
    x, model = values(3), graph_attention()
    (found,) = (t.numpy() for t in Inference(model).concrete(1)(keras.ops.convert_to_tensor(x[:1])))
    np.testing.assert_allclose(found, model.predict(x, verbose=0)[:1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch", [1, "dynamic"])
def test_every_file_does(tmp_path, batch):
    export(graph_attention(), tmp_path / "out", batch=batch).raise_for_status()


def test_a_model_of_one_row_is_what_keras_makes_of_it():
    x = keras.Input((5, 1), batch_size=1, name="nodes")
    model = keras.Model(x, x + ops.transpose(x, (0, 2, 1)))
    data = values(1)[..., :1]
    (found,) = Inference(model).predict({"nodes": data}).values()
    np.testing.assert_array_equal(found, model(data))
    assert found.shape == (1, 5, 1)


@pytest.mark.parametrize("shape", [(4,), (1, 1, 4), (1, 5, 1), (5, 1)])
def test_constants_are_added_as_keras_adds_them(shape):
    x = keras.Input(NODES, name="nodes")
    model = keras.Model(x, x + ops.convert_to_tensor(np.arange(np.prod(shape), dtype="float32").reshape(shape)))
    (found,) = (t.numpy() for t in Inference(model).concrete(1)(keras.ops.convert_to_tensor(values(1))))
    np.testing.assert_array_equal(found, model.predict(values(1), verbose=0))
