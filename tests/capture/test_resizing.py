"""Images of any size, enlarged by interpolation."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter import export
from exporter.capture.inference import Inference


def enlarged(interpolation, **options):
    shape = (2, None, None) if options.get("data_format") == "channels_first" else (None, None, 2)
    image = keras.Input(shape, name="image")
    return keras.Model(image, layers.UpSampling2D((2, 3), interpolation=interpolation, **options)(image))


def test_keras_asks_a_tensor_for_its_truth():
    """If this fails, Keras has mended it, and `keras_patches.RESIZING` can go."""
    import tensorflow as tf

    with pytest.raises(Exception, match="bool"):
        tf.function(enlarged("bilinear"), autograph=False).get_concrete_function(tf.TensorSpec((1, None, None, 2)))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos3"])
def test_any_size_is_traced(interpolation):
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 2)).astype("float32")
    model = enlarged(interpolation)
    (found,) = Inference(model).predict({"image": x}).values()
    np.testing.assert_allclose(found, model(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"data_format": "channels_first"}], ids=str)
def test_every_file_takes_any_size(tmp_path, options):
    report = export(enlarged("bilinear", **options), tmp_path / "out")
    report.raise_for_status()
    assert report["onnx"].inspection.inputs[0].shape.count(None) == 3
