"""Products of integer matrices, as quantized Keras layers make them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


def test_products(export):
    a, b = keras.Input((3, 4), dtype="int8"), keras.Input((4, 2), dtype="int8")

    def call(a, b):
        flat = tf.matmul(tf.cast(a[0], tf.int32), tf.cast(b[0], tf.int32))
        return tf.matmul(a, b, output_type=tf.int32), tf.matmul(a, a, transpose_b=True, output_type=tf.int32), flat

    exported = export(keras.Model([a, b], inside(call)(a, b)))
    extreme = [np.full((1, 3, 4), -128, "int8"), np.full((1, 4, 2), 127, "int8")]
    rng = np.random.default_rng(0)
    exported.agrees(extreme, [rng.integers(-128, 128, x.shape).astype("int8") for x in extreme])


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_quantized_layers(export, mode):
    keras.utils.set_random_seed(0)
    x = keras.Input((6,))
    model = keras.Model(x, layers.Dense(3)(layers.Dense(8, activation="relu")(x)))
    for dense in model.layers[1:]:
        dense.quantize(mode)
    export(model).agrees(normal(1, 6), 100 * normal(1, 6, seed=1), np.zeros((1, 6), "float32"))
