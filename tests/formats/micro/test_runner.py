"""TensorFlow Lite Micro's own interpreter runs the array and is compared with Keras, as every file is."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

import exporter
from exporter import formats
from exporter.errors import InvalidArtifactError, ParityError, UnsupportedError
from exporter.formats.micro import sources
from exporter.layers import Expression

pytestmark = pytest.mark.micro

MODELS = {
    "convolutions": [
        layers.Conv2D(4, 3, activation="relu"),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(5, activation="softmax"),
    ],
    "lstm": [layers.Reshape((8, 8)), layers.LSTM(4)],
    "gru": [layers.Reshape((8, 8)), layers.GRU(4)],
    "normalization": [layers.LayerNormalization(axis=[1, 2, 3]), layers.Flatten(), layers.Dense(2, activation="tanh")],
}

WORDS = {
    "embedding": [layers.Embedding(7, 4), layers.Flatten(), layers.Dense(3)],
    "masked": [layers.Embedding(7, 4, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(3, "sigmoid")],
    "recurrent": [layers.Embedding(7, 4), layers.GRU(5)],
    "choice": [layers.Embedding(7, 4), layers.Flatten(), Expression(lambda x: ops.where(x > 0, x, ops.square(x)))],
}


def model(name):
    keras.utils.set_random_seed(0)
    first = keras.Input((8, 8, 1)) if name in MODELS else keras.Input((5,), dtype="int32")
    return keras.models.clone_model(keras.Sequential([first, *{**MODELS, **WORDS}[name]]))


@pytest.mark.parametrize("name", [*MODELS, *WORDS])
def test_it_computes_what_keras_computes(tmp_path, name):
    report = exporter.export(model(name), tmp_path / "out", ("micro",))
    report.raise_for_status()
    assert report["micro"].parity.rows > 100
    assert exporter.verify(tmp_path / "out").ok


@pytest.mark.parametrize("name", [*MODELS, *WORDS])
def test_the_arena_is_enough_and_little_less_is_not(tmp_path, name):
    exporter.export(model(name), tmp_path / "out", ("micro",), verify=False).raise_for_status()
    path = tmp_path / "out" / "model_data.cc"
    arena = formats.get("micro").inspect(path).facts["arena_bytes"]
    file = tmp_path / "model.tflite"
    file.write_bytes(sources.read_array(path))
    for size, fits in ((arena, True), (2 * arena, True), (arena - 48, False)):  # alignment takes up to 16 at either end
        command = [sys.executable, "-m", "exporter.formats.micro.worker", str(file), str(size), "1", "1"]
        done = subprocess.run(command, input=b"", capture_output=True, check=False)
        assert done.stdout.startswith(b"\n") is fits


def test_one_weight_that_is_off_is_found(tmp_path):
    exporter.export(model("convolutions"), tmp_path / "out", ("micro",)).raise_for_status()
    path = tmp_path / "out" / "model_data.cc"
    kernel = model("convolutions").layers[-1].kernel.numpy().T.copy()
    content, changed = sources.read_array(path), kernel.copy()
    changed.flat[7] *= np.float32(1.1)
    assert kernel.tobytes() in content
    header = sources.read_header(sources.header_of(path))
    sources.write_sources(path, content.replace(kernel.tobytes(), changed.tobytes()), *header)
    assert isinstance(exporter.verify(tmp_path / "out").failure, ParityError)


def test_what_a_kernel_cannot_do_is_refused_with_its_own_words(tmp_path):
    x = keras.Input((4,), dtype="int64")
    report = exporter.export(keras.Model(x, x + x), tmp_path / "out", ("micro",), verify=False)
    assert isinstance(report.failure, UnsupportedError)
    assert report.failure.reason


def test_the_type_that_a_kernel_lacks_is_named(tmp_path):
    x = keras.Input((5,), dtype="int32")
    masked = layers.LSTM(3)(layers.Embedding(7, 4, mask_zero=True)(x))
    report = exporter.export(keras.Model(x, masked), tmp_path / "out", ("micro",), verify=False)
    assert "BOOL" in report.failure.reason


def test_a_broken_model_is_invalid(tmp_path):
    path = tmp_path / "model_data.cc"
    sources.write_sources(path, b"\x1c\0\0\0TFL3" + b"\xff" * 64, [], None)
    with pytest.raises(InvalidArtifactError):
        formats.get("micro").open(path)
