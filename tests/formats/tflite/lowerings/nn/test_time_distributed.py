"""TimeDistributed: steps become rows."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.errors import UnsupportedError
from tests.formats.tflite.conftest import normal


def test_time_is_folded_into_the_batch(export):
    x = keras.Input((5, 6, 6, 2))
    inner = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(4)])
    exported = export(
        keras.Model(x, [layers.TimeDistributed(layers.Conv2D(3, 3))(x), layers.TimeDistributed(inner)(x)])
    )
    assert exported.ops["CONV_2D"] == 2
    exported.agrees(normal(1, 5, 6, 6, 2))


def test_dynamic_time(export):
    """Keras itself returns wrong shapes here when it runs as a graph; eagerly it is right."""
    model = keras.Sequential([keras.Input((None, 6, 6, 2)), layers.TimeDistributed(layers.Conv2D(3, 3))])
    exported = export(model, "dynamic")
    for shape in ((2, 7, 6, 6, 2), (1, 1, 6, 6, 2)):
        x = normal(*shape)
        (y,) = exported.runner.run({exported.runner.inputs[0].name: x}).values()
        np.testing.assert_allclose(y, model(x), rtol=0, atol=1e-6)  # sums of 18 products of order 1


def test_mask_is_folded_too(export):
    x, mask = keras.Input((3, 5, 4)), keras.Input((3, 5), dtype="bool")
    exported = export(keras.Model([x, mask], layers.TimeDistributed(layers.GlobalAveragePooling1D())(x, mask=mask)))
    exported.agrees([normal(1, 3, 5, 4), np.random.default_rng(1).integers(0, 2, (1, 3, 5)).astype(bool)])


class Centred(layers.Layer):
    """Rows depend on each other: a step is centred over the batch."""

    def call(self, x):
        return x - 0.5 * ops.mean(x, axis=0, keepdims=True)

    def compute_output_shape(self, shape):
        return shape


def test_a_layer_that_mixes_rows_runs_once_for_each_step(layer):
    exported = layer(layers.TimeDistributed(Centred()), (5, 3), batch=4)
    exported.agrees(normal(4, 5, 3))


def test_a_layer_that_mixes_rows_needs_to_know_the_steps(layer):
    with pytest.raises(UnsupportedError, match="depend on each other"):
        layer(layers.TimeDistributed(Centred()), (None, 3))


def test_a_layer_of_ones_own_that_does_not_mix_rows(layer):
    exported = layer(layers.TimeDistributed(layers.Lambda(lambda x: ops.softmax(x) * 2)), (None, 3))
    exported.agrees(normal(1, 5, 3))
