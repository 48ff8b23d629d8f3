"""SavedModels: Keras's names and order, plain inference, the variables once."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from exporter import formats
from exporter.errors import InvalidArtifactError
from exporter.freeze import Inference
from exporter.signature import identifiers
from exporter.spec import Options


@pytest.fixture
def form():
    return formats.get("saved_model")


def written(form, model, folder, **options):
    inference = Inference(model)
    form.write(inference, folder, Options(**options), {"exporter": "test"})
    return inference, form.open(folder)


def test_names_order_and_values_are_keras_own(form, tmp_path):
    second, first = keras.Input((3,), name="two words"), keras.Input((3,), name="class")
    model = keras.Model(
        {"two words": second, "class": first},
        {"z": layers.Dense(2)(first), "a": layers.Dense(4)(second)},
    )
    inference, runner = written(form, model, tmp_path / "m")
    data = {i.name: np.random.default_rng(0).normal(size=(5, 3)).astype("float32") for i in inference.inputs}

    assert runner.inputs == inference.inputs
    assert runner.outputs == inference.outputs
    for name, value in inference.predict(data).items():
        np.testing.assert_array_equal(runner.run(data)[name], value)  # the same program on the same machine


def test_plain_tensorflow_loads_it_without_keras_layers(form, tmp_path):
    x = keras.Input((3,), name="x")
    inference, _ = written(form, keras.Model(x, layers.Dense(2, name="y")(x)), tmp_path / "m")
    ones = np.ones((2, 3), "float32")

    result = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"](x=tf.constant(ones))

    np.testing.assert_array_equal(result["y"], inference.predict({"x": ones})["y"])


def test_the_weights_are_written_once(form, tmp_path):
    x = keras.Input((500,), name="x")
    model = keras.Model(x, layers.Dense(500)(x))
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 500)), np.zeros((2, 500)), verbose=0)  # gives the optimizer weights of its own
    written(form, model, tmp_path / "m")

    variables = sum(f.stat().st_size for f in (tmp_path / "m" / "variables").iterdir())
    assert variables < 1.05 * 4 * model.count_params()


def test_a_fixed_batch(form, tmp_path):
    x = keras.Input((3,), name="x")
    _, runner = written(form, keras.Model(x, layers.Dense(2)(x)), tmp_path / "m", batch=4)

    assert runner.inputs[0].shape == (4, 3)
    assert runner.outputs[0].shape == (4, 2)


def test_augmentation_does_not_reach_the_file(form, tmp_path):
    x = keras.Input((8, 8, 3), name="x")
    model = keras.Model(x, layers.RandomFlip()(layers.RandomContrast(0.5)(layers.GaussianNoise(1.0)(x))))
    _, runner = written(form, model, tmp_path / "m")
    image = np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")

    (result,) = runner.run({"x": image}).values()

    np.testing.assert_array_equal(result, image)


def test_a_lookup_table_travels_along(form, tmp_path):
    x = keras.Input((1,), dtype="string", name="word")
    model = keras.Model(x, layers.StringLookup(vocabulary=["cat", "dog"])(x))
    _, runner = written(form, model, tmp_path / "m")

    (result,) = runner.run({"word": np.array([["dog"], ["bird"], ["cat"]])}).values()

    assert result.tolist() == [[2], [0], [1]]


def test_what_it_says_of_itself(form, tmp_path):
    x = keras.Input((3,), name="x")
    inference, _ = written(form, keras.Model(x, layers.Dense(2, name="y")(x)), tmp_path / "m")

    found = form.inspect(tmp_path / "m")

    assert (found.inputs, found.outputs) == (inference.inputs, inference.outputs)
    assert found.ops["MatMul"] == 1
    assert found.metadata["exporter"] == "test"
    assert found.size == sum(f.stat().st_size for f in (tmp_path / "m").rglob("*") if f.is_file())


@pytest.mark.parametrize("content", [None, b"", b"not a protobuf"])
def test_what_is_no_saved_model_is_refused(form, tmp_path, content):
    if content is not None:
        (tmp_path / "saved_model.pb").write_bytes(content)
    for look in (form.open, form.inspect):
        with pytest.raises(InvalidArtifactError):
            look(tmp_path)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [("x", "x"), ("two words", "two_words"), ("class", "arg_class"), ("1x", "arg_1x"), ("naïve", "na_ve")],
)
def test_identifier(name, spelled):
    assert identifiers([name]) == [spelled]
