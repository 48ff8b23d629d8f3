"""Products of computed matrices and of many axes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.errors import UnsupportedError
from tests.formats.tflite.conftest import normal


@pytest.mark.parametrize("activation", [ops.relu, ops.relu6, lambda x: ops.relu(ops.reshape(x, (-1, 1)))])
def test_activation_behind_two_computed_matrices(layer, activation):
    exported = layer(lambda a, b: activation(ops.matmul(a[0], b[0])), (4, 8), (8, 5))
    exported.agrees([normal(1, 4, 8, scale=3.0), normal(1, 8, 5, seed=1)])


def test_dense_layers_keep_their_op(layer):
    exported = layer(layers.Dense(5, activation="relu"), (8,))
    assert dict(exported.ops) == {"FULLY_CONNECTED": 1}


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (ops.matmul, [(2, 2, 1, 2, 3, 4), (4, 3)]),
        (ops.matmul, [(1, 2, 2, 1, 3, 4), (2, 1, 2, 1, 4, 3)]),
        (layers.Dense(3, activation="relu"), [(1, 2, 2, 1, 2, 4)]),
    ],
)
def test_seven_axes(layer, function, shapes):
    for batch in (1, "dynamic"):
        exported = layer(function, *shapes, batch=batch)
        exported.agrees([normal(1, *shape, seed=seed) for seed, shape in enumerate(shapes)])


def test_a_node_of_seven_axes_is_refused_with_its_layer(layer):
    mean = layers.Lambda(lambda x: ops.mean(x, axis=(2, 4)), name="average")
    with pytest.raises(UnsupportedError, match="six axes") as refused:
        layer(mean, (2, 2, 1, 2, 3, 4), batch="dynamic")
    assert refused.value.where == "layer 'average'"


def test_int4_kernels_are_unpacked_once(export):
    model = keras.Sequential([keras.Input((64,)), layers.Dense(128, activation="relu"), layers.Dense(10)])
    for dense in model.layers:
        dense.quantize("int4")
    exported = export(model)
    assert dict(exported.ops) == {"FULLY_CONNECTED": 2}
    exported.agrees(normal(1, 64))


def test_what_weights_determine_is_a_constant(export):
    """Here by an op that TFLite has none of, and in 16 bits."""

    class Orthogonal(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], shape[-1]))

        def call(self, x):
            return ops.matmul(x, ops.cast(ops.qr(ops.cast(self.w, "float32"))[0], x.dtype))

    for policy in ("float32", "mixed_float16"):
        x = keras.Input((4,))
        exported = export(keras.Model(x, Orthogonal(dtype=policy)(x)))
        assert exported.ops["FULLY_CONNECTED"] == 1
        assert set(exported.ops) <= {"FULLY_CONNECTED", "CAST"}
        exported.agrees(np.ones((1, 4), "float32"))
