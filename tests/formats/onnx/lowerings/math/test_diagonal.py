"""Diagonals and triangles of matrices, square or not, of every dtype, and bands whose width the model computes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, inside, model_of

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


ANY = (None, None, None)
BANDS = [0, 1, -2, (-1, 2), (-3, -1)]
ALIGNMENTS = ["LEFT_RIGHT", "RIGHT_LEFT"]


@pytest.mark.parametrize("align", ALIGNMENTS)
@pytest.mark.parametrize("shape", [(None, 4, 6), ANY])
def test_several_diagonals_of_any_size(shape, align):
    """Packed in rows of the longest, the shorter ones moved to either side."""

    def function(x):
        taken = [tf.linalg.diag_part(x, k=k, padding_value=7.0, align=align) for k in BANDS]
        return taken + [tf.linalg.set_diag(x, d + 1, k=k) for k, d in zip(BANDS[:3], taken, strict=False)]

    export(model_of(inside(function), (shape, "float32"))).check(MATRIX.astype("float32"))


@pytest.mark.parametrize("align", ALIGNMENTS)
def test_matrices_of_several_diagonals(align):
    def function(x):
        packed = tf.linalg.diag_part(x, k=(-1, 2), align=align)
        return tf.linalg.diag(packed, k=(-1, 2), num_rows=4, num_cols=6, padding_value=3.0, align=align)

    export(model_of(inside(function), ((None, 4, 6), "float32"))).check(MATRIX.astype("float32"))


def test_matrices_of_dynamic_size():
    def function(x):
        count = tf.shape(x)[1]
        square = tf.matmul(x, x, transpose_a=True)
        ones = tf.linalg.set_diag(square, tf.ones_like(x[:, 0]))
        return [tf.eye(count), tf.eye(count, 2, dtype=tf.int32), tf.linalg.diag(x), tf.linalg.trace(square), ones]

    exported = export(model_of(inside(function), (ANY, "float32")))
    exported.check(MATRIX.astype("float32"))
    exported.check(MATRIX[:1, :, :1].astype("float32"))


def test_a_size_that_tensorflow_reckons_wrongly_is_refused():
    """Its shape function takes an unknown length for -1, and the matrix for one of no rows."""
    with pytest.raises(UnsupportedError, match="num_rows and num_cols"):
        export(model_of(inside(lambda x: tf.linalg.diag(x, k=1)), ((None, None), "float32")))
