"""`fix`: from a file with Lambda bytecode to one that loads without trust, or nothing at all."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import exporter
from exporter.errors import LoadError, OutputError, ParityError, UnsafeFileError, UnsupportedError, UsageError
from exporter.lambdas import files
from exporter.lambdas.bytecode import default_globals

K = tf.keras.backend
X = np.random.default_rng(1).standard_normal((3, 4)).astype("float32")


@pytest.fixture
def saved(tmp_path):
    """A file with a Lambda that uses the global names tf and K, and what its model computes."""
    model = keras.Sequential(
        [keras.Input((4,)), layers.Lambda(lambda x: tf.abs(x) + K.square(x), name="lam"), layers.Dense(2)]
    )
    path = tmp_path / "model.keras"
    model.save(path)
    return path, model(X).numpy()


def test_the_new_file_loads_without_trust_and_computes_the_same(saved, tmp_path) -> None:
    path, expected = saved
    output = tmp_path / "fixed.keras"
    with pytest.raises(UnsafeFileError, match="bytecode"):
        files.fix(path, output)
    result = files.fix(path, output, trust=True)
    assert [entry.operations for entry in result.replaced] == [("absolute", "square", "add")]
    np.testing.assert_allclose(exporter.load(output)(X), expected, rtol=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fixed.keras", "model.keras"]


def test_legacy_h5(saved, tmp_path) -> None:
    model = keras.Sequential(
        [keras.Input((4,)), layers.Lambda(lambda x: K.mean(x, axis=1, keepdims=True), name="mean")]
    )
    model.save(tmp_path / "old.h5")
    files.fix(tmp_path / "old.h5", tmp_path / "new.keras", trust=True)
    np.testing.assert_allclose(exporter.load(tmp_path / "new.keras")(X), X.mean(1, keepdims=True), rtol=1e-6)


def test_nothing_is_written_when_a_lambda_stays(tmp_path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x + tf.random.normal((4,)), name="noise")])
    model.save(tmp_path / "model.keras")
    output = tmp_path / "fixed.keras"
    output.write_bytes(b"old")
    with pytest.raises(UnsupportedError, match="noise"):
        files.fix(tmp_path / "model.keras", output, trust=True)
    assert output.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fixed.keras", "model.keras"]


def test_nothing_is_written_when_the_new_file_differs(saved, tmp_path, monkeypatch) -> None:
    def differs(model, original):
        if not any(isinstance(layer, layers.Lambda) for layer in original.layers):
            raise ParityError("different")

    monkeypatch.setattr(files, "prove_model", differs)
    with pytest.raises(ParityError):
        files.fix(saved[0], tmp_path / "fixed.keras", trust=True)
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


def test_unsuitable_outputs(saved, tmp_path) -> None:
    for output in (tmp_path / "fixed.h5", tmp_path / "missing" / "fixed.keras", tmp_path):
        with pytest.raises(UsageError):
            files.fix(saved[0], output, trust=True)
    with pytest.raises(LoadError):
        files.fix(tmp_path / "missing.keras", tmp_path / "fixed.keras", trust=True)
    (folder := tmp_path / "locked.keras").mkdir()
    with pytest.raises(OutputError), files._replacing(folder) as temporary:
        temporary.write_bytes(b"new")
    assert folder.is_dir()


def test_keras_is_put_back() -> None:
    before = vars(layers.Lambda)["from_config"]
    with default_globals():
        assert vars(layers.Lambda)["from_config"] is not before
    assert vars(layers.Lambda)["from_config"] is before


def test_a_function_with_defaults(tmp_path) -> None:
    """Keras 3.15 itself does not read such a Lambda again, trusted or not."""
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x, by=3.0, training=None: tf.square(x) * by)])
    model.save(tmp_path / "m.keras")
    files.fix(tmp_path / "m.keras", tmp_path / "new.keras", trust=True)
    np.testing.assert_array_equal(exporter.load(tmp_path / "new.keras")(X), model(X))
