"""A SavedModel as input: only with trust."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from exporter.errors import LoadError, UnsafeFileError
from exporter.loading import load


@pytest.fixture(scope="module")
def two_inputs(tmp_path_factory):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, {"sum": keras.layers.Add(name="sum")([a, b])})
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.export(folder, verbose=False)
    return model, folder


def test_refused_without_trust(two_inputs):
    with pytest.raises(UnsafeFileError) as caught:
        load(two_inputs[1])
    assert "program" in str(caught.value)
    assert "--trust" in str(caught.value)


def test_loads_with_trust(two_inputs):
    model, folder = two_inputs
    again = load(folder, trust=True)
    assert isinstance(again, keras.Model)
    assert sorted(again.input) == ["a", "b"]
    samples = {"a": np.ones((2, 3), "f4"), "b": np.arange(6, dtype="f4").reshape(2, 3)}
    np.testing.assert_array_equal(again(samples)["sum"], model(samples)["sum"])


def test_unnamed_input(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model.export(tmp_path / "m", verbose=False)
    again = load(tmp_path / "m", trust=True)
    ((name, tensor),) = again.input.items()
    assert name == tensor.name
    (got,) = again({name: np.ones((4, 2), "f4")}).values()
    np.testing.assert_array_equal(got, model(np.ones((4, 2), "f4")))


def test_variables_are_those_of_the_program(tmp_path):
    model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(3)])
    model.export(tmp_path / "m", verbose=False)
    again = load(tmp_path / "m", trust=True)
    assert again.count_params() == model.count_params()
    for variable in again.variables:
        variable.assign(keras.ops.zeros_like(variable))
    (got,) = again({"x": np.ones((4, 2), "f4")}).values()
    np.testing.assert_array_equal(got, np.zeros((4, 3)))


def test_several_outputs_and_types(tmp_path):
    x = keras.Input((4,), dtype="int32", name="ids")
    model = keras.Model(x, {"b": x + 1, "a": keras.ops.cast(x, "float32") / 2})
    model.export(tmp_path / "m", verbose=False)
    again = load(tmp_path / "m", trust=True)
    assert {name: tensor.dtype for name, tensor in again.output.items()} == {"a": "float32", "b": "int32"}
    assert again.input["ids"].dtype == "int32"
    assert again.input["ids"].shape == (None, 4)


def test_damaged(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"not a protobuf")
    with pytest.raises(LoadError, match="TensorFlow cannot load"):
        load(tmp_path, trust=True)


def test_without_a_serving_function(tmp_path):
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), str(tmp_path / "m"))
    with pytest.raises(LoadError, match="no function to call"):
        load(tmp_path / "m", trust=True)
