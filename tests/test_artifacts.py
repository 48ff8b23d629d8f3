"""What is said of a file that differs."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from exporter import formats
from exporter.artifacts import Job, made
from exporter.freeze import Inference
from exporter.options import checked_options
from exporter.parity.proof import Proof
from exporter.progress import Silent


@pytest.fixture
def job(tmp_path):
    x = keras.Input((4,), name="x")
    inference = Inference(keras.Model(x, keras.layers.Dense(3, name="y")(x)))
    options = checked_options(("onnx",), "dynamic", 1, None, None, True)
    return Job(inference, options, {}, tmp_path, Proof.of_model(inference, "dynamic"))


def test_a_file_of_other_weights_is_told_with_the_size_of_the_difference_and_the_layer(job):
    for sample in job.proof.samples:
        job.proof.reference.expect(sample)
    job.inference.model.get_layer("y").kernel.assign_add(np.ones((4, 3)))
    error = made(formats.get("onnx"), job, job.folder, Silent()).error
    assert "max |difference| " in error.reason
    assert "'y'" in error.where
    assert "report it" in error.remedy
