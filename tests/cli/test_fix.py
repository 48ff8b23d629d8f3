from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import exporter

X = np.ones((2, 3), "float32")


def model_file(path, function):
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(function, name="lam")]).save(path)
    return path


def test_a_file_is_fixed(kx, tmp_path):
    path = model_file(tmp_path / "m.keras", lambda x: tf.square(x) * 3.0)
    refused = kx("fix", path, "-o", tmp_path / "new.keras")
    assert refused.code == 3
    assert "--trust" in refused.err
    answer = kx("fix", path, "-o", tmp_path / "new.keras", "--trust")
    assert answer.code == 0
    assert "code in the model file was allowed to run" in answer.out
    assert "lam: square, multiply" in answer.out
    assert "1 Lambda call replaced; same function, verified" in " ".join(answer.out.split())
    again = kx("fix", tmp_path / "new.keras", "-o", tmp_path / "newer.keras")
    assert "it has no Lambda, and is written as it was; same function, verified" in " ".join(again.out.split())
    np.testing.assert_array_equal(exporter.load(tmp_path / "new.keras")(X), X * 3)


def test_json(kx, tmp_path):
    path = model_file(tmp_path / "m.keras", lambda x: x + 1.0)
    answer = kx("fix", path, "-o", tmp_path / "new.keras", "--trust", "--json").json
    assert answer["ok"]
    assert answer["trusted"]
    assert answer["replaced"] == [{"layer": "lam", "operations": ["add"]}]


def test_a_lambda_that_stays_is_named(kx, tmp_path):
    path = model_file(tmp_path / "m.keras", lambda x: x + tf.random.normal((3,)))
    answer = kx("fix", path, "-o", tmp_path / "new.keras", "--trust")
    assert answer.code == 4
    assert "lam (Lambda)" in answer.err
    assert "GaussianNoise" in answer.err
    assert not (tmp_path / "new.keras").exists()


@pytest.mark.parametrize("output", ["new.h5", "missing/new.keras"])
def test_wrong_output(kx, tmp_path, output):
    path = model_file(tmp_path / "m.keras", lambda x: x)
    assert kx("fix", path, "-o", tmp_path / output, "--trust").code == 2


def test_a_file_of_keras_2_becomes_one_of_keras_3(kx, tmp_path):
    tf_keras = pytest.importorskip("tf_keras")
    x = tf_keras.Input((4,))
    old = tf_keras.Model(x, tf_keras.layers.Dense(3, activation="hard_sigmoid")(x))
    old.save(tmp_path / "old.keras")
    answer = kx("fix", tmp_path / "old.keras", "-o", tmp_path / "new.keras")
    assert answer.code == 0
    told = " ".join(answer.out.split())
    assert "slope 0.2" in told
    assert f"read with the meaning of Keras {tf_keras.__version__} (1 note); same function, verified" in told
    assert (
        kx("fix", tmp_path / "old.keras", "-o", tmp_path / "new.keras", "--json").json["keras_2"]
        == tf_keras.__version__
    )
    data = np.linspace(-4, 4, 20, dtype="float32").reshape(5, 4)
    new = keras.saving.load_model(tmp_path / "new.keras")  # by Keras 3 alone, once exporter.activations is registered
    np.testing.assert_array_equal(new(data), old(data))
    np.testing.assert_array_equal(new.get_weights()[0], old.get_weights()[0])
