"""What is said of a model that Keras itself does not run as a graph."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from exporter import check, export
from exporter.errors import UnsupportedError


def test_a_layer_that_needs_sizes(tmp_path):
    x = keras.Input((None, None, 3), name="image")
    model = keras.Model(x, layers.UpSampling2D(interpolation="bilinear")(x))
    with pytest.raises(UnsupportedError) as caught:
        export(model, tmp_path / "out")
    assert caught.value.where == "UpSampling2D.call()"
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
