"""SavedModels: Keras's names and order, plain inference, the variables once."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.capture.naming import identifiers
from exporter.errors import InvalidArtifactError
from exporter.formats.saved_model import process
from exporter.spec import Options
from exporter.verification.values import numpy_dtype


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


def test_a_table_in_a_list_of_a_subclassed_model(form, tmp_path):
    class Listed(keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [layers.StringLookup(vocabulary=["cat", "dog"]), layers.Embedding(4, 2)]

        def call(self, words):
            for part in self.parts:
                words = part(words)
            return words

    model = Listed()
    words = np.array(["dog", "bird", "cat"], object)
    model(tf.constant(words))
    _, runner = written(form, model, tmp_path / "m")
    np.testing.assert_array_equal(runner.run({"words": words})["output_0"], model(tf.constant(words)))


def test_a_table_that_hangs_on_no_layer(form, tmp_path):
    pairs = tf.lookup.KeyValueTensorInitializer(["cat", "dog"], [5, 7])
    tables = {"hidden": [tf.lookup.StaticHashTable(pairs, -1)]}

    class Hidden(layers.Layer):
        def call(self, x):
            return tables["hidden"][0].lookup(x)

        def compute_output_spec(self, x):
            return keras.KerasTensor(x.shape, "int32")

    x = keras.Input((), dtype="string", name="word")
    _, runner = written(form, keras.Model(x, Hidden(name="y")(x)), tmp_path / "m")
    assert runner.run({"word": np.array(["dog", "bird"])})["y"].tolist() == [7, -1]


@pytest.mark.parametrize("name", ["schicht ü", "a:b", "back\\slash", "x{y}"])
def test_any_name_is_saved(form, tmp_path, name):
    x = keras.Input((3,), name=f"in {name}")
    model = keras.Model(x, {f"out {name}": layers.Dense(2, name=name)(x)})
    before = [v.value.name for v in model.weights]
    inference, runner = written(form, model, tmp_path / "m")
    assert [v.value.name for v in model.weights] == before
    assert runner.inputs == inference.inputs
    assert runner.outputs == inference.outputs
    data = {f"in {name}": np.ones((2, 3), "float32")}
    np.testing.assert_array_equal(runner.run(data)[f"out {name}"], inference.predict(data)[f"out {name}"])
    assert set(form.inspect(tmp_path / "m").metadata["variables"].values()) == {f"{name}/kernel", f"{name}/bias"}


def test_it_runs_where_nothing_of_this_process_is(form, tmp_path):
    """A Python function runs here only; verification must see that."""

    class Python(layers.Layer):
        def call(self, x):
            y = tf.py_function(lambda t: t * 2, [x], tf.float32)
            y.set_shape(x.shape)
            return y

    x = keras.Input((3,), name="x")
    _, runner = written(form, keras.Model(x, Python()(x)), tmp_path / "m")
    with pytest.raises(InvalidArtifactError, match="registry"):
        runner.run({"x": np.ones((2, 3), "float32")})
    _, sound = written(form, keras.Model(x, layers.ReLU(name="y")(x)), tmp_path / "n")
    assert sound.run({"x": np.ones((2, 3), "float32")})["y"].all()


def test_the_end_of_the_process_is_the_models_doing(form, tmp_path):
    x = keras.Input((3,), name="x")
    _, runner = written(form, keras.Model(x, layers.ReLU(name="y")(x)), tmp_path / "m")
    process.shared()._process.kill()
    with pytest.raises(InvalidArtifactError, match="ended with code -9"):
        runner.run({"x": np.ones((2, 3), "float32")})
    assert form.open(tmp_path / "m").run({"x": np.ones((2, 3), "float32")})["y"].all()


def test_nothing_of_the_current_folder_is_run(form, tmp_path, monkeypatch):
    for module in ("json", "numpy", "struct", "tensorflow"):
        (tmp_path / f"{module}.py").write_text("open('trap', 'w')\nraise SystemExit")
    monkeypatch.chdir(tmp_path)
    process.shared().end()
    x = keras.Input((3,), name="x")
    _, runner = written(form, keras.Model(x, layers.ReLU(name="y")(x)), tmp_path / "m")
    assert runner.run({"x": np.ones((2, 3), "float32")})["y"].all()
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64", "int64", "uint8", "bool", "string"])
def test_every_dtype_goes_there_and_back(form, tmp_path, dtype):
    x = keras.Input((2,), dtype=dtype, name="x")
    _, runner = written(
        form, keras.Model(x, {"y": layers.Identity(dtype=None if dtype == "string" else dtype)(x)}), tmp_path / "m"
    )
    for rows in (3, 0):
        values = np.full((rows, 2), "naïve", object) if dtype == "string" else np.ones((rows, 2), numpy_dtype(dtype))
        (found,) = runner.run({"x": values}).values()
        wanted = np.char.encode(values.astype(str), "utf-8").astype(object) if dtype == "string" else values
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


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
