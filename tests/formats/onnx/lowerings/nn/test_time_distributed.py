"""TimeDistributed: time folded into the batch, or a Scan."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, normal


@keras.saving.register_keras_serializable("tests")
class AcrossTheBatch(layers.Layer):
    """A layer in which rows see each other."""

    def call(self, x):
        return x - ops.mean(x, axis=0, keepdims=True)

    def compute_output_shape(self, input_shape):
        return input_shape


def test_time_is_folded_into_the_batch():
    model = keras.Sequential([keras.Input((5, 6, 6, 2)), layers.TimeDistributed(layers.Conv2D(3, 3))])
    exported = export(model)
    exported.check(normal(2, 5, 6, 6, 2))
    exported.check(normal(1, 5, 6, 6, 2))
    assert exported.ops["Conv"] == 1


def test_dynamic_time():
    """Keras itself returns wrong shapes here when it runs as a graph; eagerly it is right."""
    model = keras.Sequential([keras.Input((None, 6, 6, 2)), layers.TimeDistributed(layers.Conv2D(3, 3))])
    exported = export(model)
    x = normal(2, 7, 6, 6, 2)
    (y,) = exported.runner.run({exported.inference.inputs[0].name: x}).values()
    np.testing.assert_allclose(y, model(x), rtol=0, atol=1e-6)  # sums of 18 products of order 1
    assert exported.ops["Conv"] == 1


def test_whole_models():
    inner = keras.Sequential([keras.Input((4, 3)), layers.Flatten(), layers.Dense(5, activation="relu")])
    exported = export(keras.Sequential([keras.Input((6, 4, 3)), layers.TimeDistributed(inner)]))
    exported.check(normal(2, 6, 4, 3))
    assert exported.ops["Gemm"] == 1


def test_mask_is_folded_too():
    x, mask = keras.Input((3, 5, 4)), keras.Input((3, 5), dtype="bool")
    y = layers.TimeDistributed(layers.GlobalAveragePooling1D())(x, mask=mask)
    exported = export(keras.Model([x, mask], y))
    exported.check(normal(2, 3, 5, 4), np.random.default_rng(1).integers(0, 2, (2, 3, 5)).astype(bool))


@pytest.mark.parametrize("time", [4, None])
def test_layers_that_see_the_batch_run_step_by_step(time):
    model = keras.Sequential([keras.Input((time, 3)), layers.TimeDistributed(AcrossTheBatch())])
    exported = export(model)
    x = normal(5, 4, 3)
    (y,) = exported.runner.run({exported.inference.inputs[0].name: x}).values()
    np.testing.assert_allclose(y, x - x.mean(axis=0), rtol=0, atol=1e-6)
    assert exported.ops["Scan"] == 1
