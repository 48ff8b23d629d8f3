"""One weight changed by a thousandth of itself is found, and rounding is not taken for it.

The file is Keras itself with one weight changed: fast, and free of any format. A change can only be found where it shows:
a weight behind a ReLU that is always 0, or the bias of attention keys (softmax does not see it), changes nothing.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.capture.state import fingerprint
from exporter.layers import LayerNormalization, Linear
from exporter.spec import Options
from exporter.verification.reference import Reference
from exporter.verification.samples import make_samples
from exporter.verification.verify import verify_artifact
from tests.verification.models import KerasRunner

CHANGE = np.float32(1.001)


def dense():
    return keras.Sequential(
        [keras.Input((13,), name="x"), layers.Dense(16, activation="tanh"), layers.Dense(4, name="y")]
    )


def custom():
    return keras.Sequential([keras.Input((10,), name="x"), Linear(6), layers.Dense(3, name="y")])


def convolution():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2), name="x"),
            layers.Conv2D(6, 3, activation="exporter>swish"),
            LayerNormalization(),
            layers.Conv2D(6, 3, activation="exporter>mish"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="softmax", name="y"),
        ]
    )


def lstm():
    return keras.Sequential([keras.Input((5, 4), name="x"), layers.LSTM(6), layers.Dense(3, name="y")])


def seeded(build):
    """Build with weights of ordinary magnitude everywhere, biases too."""
    model, rng = build(), np.random.default_rng(0)
    for v in model.weights:
        if "variance" in v.path or "gamma" in v.path:
            v.assign(rng.uniform(0.5, 1.5, v.shape))
        else:
            v.assign(rng.normal(0, 0.5, v.shape))
    return model


@pytest.fixture(scope="module", params=[dense, custom, convolution, lstm], ids=lambda build: build.__name__)
def proof(request):
    inference = Inference(seeded(request.param))
    return seeded(request.param), make_samples(inference), Reference(inference)


def test_the_unchanged_model_passes(proof):
    model, samples, reference = proof
    before = fingerprint(model)
    assert verify_artifact(KerasRunner(model), reference, samples)
    assert fingerprint(model) == before


def test_one_changed_weight_in_each_variable_is_found(proof):
    model, samples, reference = proof
    runner, missed = KerasRunner(model), []
    for variable in model.weights:
        value = variable.numpy()
        changed = value.copy()
        place = np.argsort(np.abs(value), axis=None)[value.size // 2]  # the weight of median magnitude
        changed.ravel()[place] *= CHANGE
        variable.assign(changed)
        if verify_artifact(runner, reference, samples):
            missed.append(variable.path)
        variable.assign(value)
    assert missed == []


def patched(path, value):
    """Change the one place in a file where a float32 value is stored, whatever the format."""
    data, pattern = path.read_bytes(), np.float32(value).tobytes()
    assert data.count(pattern) == 1
    path.write_bytes(data.replace(pattern, np.float32(value * CHANGE).tobytes()))


@pytest.mark.parametrize("name", ["onnx", "tflite"])
@pytest.mark.parametrize("build", [dense, custom, lstm])
def test_one_changed_weight_in_a_file_is_found(name, build, tmp_path):
    form, model = formats.get(name), seeded(build)
    inference, path = Inference(model), tmp_path / form.filename
    samples, reference = make_samples(inference), Reference(inference)
    form.write(inference, path, Options(), {})
    assert verify_artifact(form.open(path), reference, samples)

    kernel = model.weights[0].numpy().ravel()
    patched(path, kernel[np.argsort(np.abs(kernel))[kernel.size // 2]])

    assert not verify_artifact(form.open(path), reference, samples)


def test_one_changed_weight_in_a_saved_model_is_found(tmp_path):
    """Its checkpoint has checksums: the change is made before it is written."""
    form, model = formats.get("saved_model"), seeded(custom)
    inference = Inference(model)
    samples, reference = make_samples(inference), Reference(inference)
    other = seeded(custom)
    changed = other.weights[0].numpy()
    changed[0, 0] *= CHANGE
    other.weights[0].assign(changed)
    form.write(Inference(other), tmp_path / "m", Options(), {})

    assert not verify_artifact(form.open(tmp_path / "m"), reference, samples)
