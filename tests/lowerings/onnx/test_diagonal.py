"""Diagonals and triangles of matrices, square or not, of every dtype, and bands whose width the model computes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tests.lowerings.onnx.exported import export, model_of

MATRIX = np.random.default_rng(0).integers(-9, 9, (3, 4, 6))


@pytest.mark.parametrize("offset", [-3, -1, 0, 2, 5])
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
@pytest.mark.parametrize("function", ["tril", "triu", "diagonal"])
def test_of_matrices(function, dtype, offset):
    arguments = {"offset": offset, "axis1": 1, "axis2": 2} if function == "diagonal" else {"k": offset}
    exported = export(model_of(lambda x: getattr(ops, function)(x, **arguments), ((None, 4, 6), dtype)))
    exported.check(MATRIX.astype(dtype))
    exported.check(MATRIX[:0].astype(dtype))


def test_nan_below_the_diagonal_is_dropped():
    exported = export(model_of(ops.triu, ((None, 4, 6), "float32")))
    x = MATRIX.astype("float32")
    x[0, 3, 0], x[1, 0, 3] = np.nan, np.inf
    exported.check(x)


@pytest.mark.parametrize("offset", [-2, 0, 1])
def test_from_a_diagonal(offset):
    exported = export(model_of(lambda x: ops.diag(x, k=offset), ((5,), "float32")))
    exported.check(np.arange(5, dtype="float32"))


@keras.saving.register_keras_serializable("tests")
class Band(layers.Layer):
    """A band whose width is the model's input; negative: everything."""

    def call(self, inputs):
        x, below, above = inputs
        return tf.linalg.band_part(x, below[0], above[0])


@pytest.mark.parametrize("opset", [13, None])
@pytest.mark.parametrize("shape", [(None, 4, 6), (None, None, None)])
def test_band_of_computed_width(shape, opset):
    x = keras.Input(batch_shape=shape)
    below, above = (keras.Input(batch_shape=(1,), dtype="int32") for _ in range(2))
    exported = export(keras.Model([x, below, above], Band()([x, below, above])), opset=opset)
    for lower, upper in ((1, 2), (0, 0), (-1, 1), (2, -1), (-1, -1), (3, 5)):
        exported.check(MATRIX.astype("float32"), np.array([lower], "int32"), np.array([upper], "int32"))
