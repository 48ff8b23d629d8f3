"""The dtypes that a subclassed model does not tell, and what is said of a model that Keras does not run as a graph."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter import check, export
from exporter.capture.inference import Inference
from exporter.errors import UnsupportedError


class NeedsSizes(layers.Layer):
    def compute_output_shape(self, shape):
        return shape

    def call(self, x):
        return x if ops.shape(x)[1] > 3 else -x


def test_a_layer_that_needs_sizes(tmp_path):
    x = keras.Input((None, None, 3), name="image")
    model = keras.Model(x, NeedsSizes()(x))
    with pytest.raises(UnsupportedError) as caught:
        export(model, tmp_path / "out")
    assert caught.value.where == "NeedsSizes.call()"
    assert caught.value.reason == "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed."
    assert "give image a size: input_signature= (--shape)" in caught.value.remedy
    export(model, tmp_path / "out", input_signature={"image": (4, 6, 3)}).raise_for_status()


def test_code_of_the_users_own_that_fails(tmp_path):
    class Fussy(layers.Layer):
        def compute_output_shape(self, shape):
            return shape

        def call(self, x):
            raise RuntimeError("not today")

    x = keras.Input((3,), name="x")
    model = keras.Model(x, Fussy()(x))
    with pytest.raises(UnsupportedError, match="not today") as caught:
        export(model, tmp_path / "out")
    assert "--shape" not in caught.value.remedy
    (problem,) = [p for p in check(model, formats=("onnx",)) if "not today" in p.reason]
    assert problem.severity == "error"


class Subclassed(keras.Model):
    def __init__(self, function, *parts):
        super().__init__()
        self.function, self.parts = function, parts

    def call(self, x):
        return self.function(x, *self.parts)


@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        (lambda x: ops.one_hot(x, 5), "int32"),
        (lambda x: (ops.one_hot(x, 5), x), "int32"),
        (lambda x: ops.where(ops.not_equal(x, 0)[..., None], ops.one_hot(x, 5), 0.0), "int32"),
        (lambda x: ops.zeros(ops.shape(x)) + ops.one_hot(x, 5)[..., 0], "int32"),
        (lambda x: ops.one_hot(ops.cast(x, "int32"), 5)[..., 0] + x, "float32"),
        (lambda x: ops.cast(x > 0.5, "float32"), "float32"),
        (lambda x: x, "float32"),
    ],
)
def test_inputs_that_are_indices_are_integers(function, dtype):
    model = Subclassed(function)
    model(np.zeros((2, 3), dtype))
    (info,) = Inference(model).inputs
    assert info.dtype == dtype


def test_masked_words_are_integers(tmp_path):
    words = Subclassed(
        lambda x, embedding, lstm: lstm(embedding(x)), layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3)
    )
    words(np.ones((2, 5), "int32"))
    report = export(words, tmp_path / "out", formats=("onnx",))
    report.raise_for_status()
    assert report["onnx"].inspection.inputs[0].dtype == "int32"
