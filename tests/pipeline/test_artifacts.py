"""What is said of a file that differs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from exporter import export, formats
from exporter.capture.inference import Inference
from exporter.pipeline.artifacts import Job, write_and_verify
from exporter.pipeline.options import checked_options
from exporter.run.progress import Silent
from exporter.verification.model_verification import ModelVerification


@pytest.fixture
def job(tmp_path):
    x = keras.Input((4,), name="x")
    inference = Inference(keras.Model(x, keras.layers.Dense(3, name="y")(x)))
    options = checked_options(("onnx",), "dynamic", 1, None, None, True)
    return Job(inference, options, {}, tmp_path, ModelVerification.of_model(inference, "dynamic"))


def test_a_file_of_other_weights_is_told_with_the_size_of_the_difference_and_the_layer(job):
    other = keras.models.clone_model(job.inference.model)
    other.get_layer("y").kernel.assign(job.inference.model.get_layer("y").kernel + np.ones((4, 3)))
    job.verification = ModelVerification.of_model(Inference(other), "dynamic")
    error = write_and_verify(formats.get("onnx"), job, job.folder, Silent()).error
    assert "max |difference| " in error.reason
    assert "'y'" in error.where
    assert "report it" in error.remedy


def test_nan_that_a_runtime_passes_over_is_told_with_what_can_be_done(tmp_path):
    """Samples of both signs lead where the model's own inputs may never lead."""
    x = keras.Input((4,), name="x")
    report = export(keras.Model(x, ops.exp(ops.sqrt(x))), tmp_path / "out", formats=("tflite",))
    error = report["tflite"].error
    assert "in Keras at" in error.reason
    assert "EXP: 0 for NaN" in error.remedy
    assert "--no-verify" in error.remedy
