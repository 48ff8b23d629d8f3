"""What a model computes in a graph of any size is what `predict` computes for the sizes at hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.spec import Options


def over_time(inner, *shape):
    x = keras.Input((None, *shape), name="x")
    return keras.Model(x, layers.TimeDistributed(inner)(x))


def sequences(*shape):
    return np.random.default_rng(0).normal(size=(2, 6, *shape)).astype("float32")


def test_keras_takes_rows_for_steps():
    """If this fails, Keras has mended it, and `keras_patches.UNKNOWN_STEPS` can go."""
    import tensorflow as tf

    function = tf.function(over_time(layers.Dense(3), 5), autograph=False)
    traced = function.get_concrete_function(tf.TensorSpec((None, None, 5)))
    assert traced(tf.constant(sequences(5))).shape == (2, 2, 3)  # of 2 rows of 6 steps


@pytest.mark.parametrize(
    ("inner", "shape"),
    [(layers.Dense(3), (5,)), (layers.Conv2D(3, 3), (6, 6, 2)), (layers.LSTM(3), (4, 2)), (layers.Flatten(), (4, 2))],
    ids=lambda value: getattr(value, "name", None),
)
def test_every_step_of_time_distributed_is_run(inner, shape):
    model = over_time(inner, *shape)
    (found,) = Inference(model).predict({"x": sequences(*shape)}).values()
    np.testing.assert_allclose(found, model.predict(sequences(*shape), verbose=0), rtol=0, atol=1e-6)


def test_masked_steps():
    x = keras.Input((None, 4, 2), name="x")
    steps = layers.TimeDistributed(layers.GlobalAveragePooling1D())
    model = keras.Model(x, steps(layers.TimeDistributed(layers.Masking())(x)))
    values = sequences(4, 2)
    values[0, 1:3, 2:] = 0
    (found,) = Inference(model).predict({"x": values}).values()
    np.testing.assert_allclose(found, model.predict(values, verbose=0), rtol=0, atol=1e-6)


def test_a_saved_model_runs_every_step(tmp_path):
    form, inference = formats.get("saved_model"), Inference(over_time(layers.Dense(3), 5))
    form.write(inference, tmp_path / "saved_model", Options(), {})
    (found,) = form.open(tmp_path / "saved_model").run({"x": sequences(5)}).values()
    assert found.shape == (2, 6, 3)
