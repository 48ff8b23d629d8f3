"""Names, order and dtypes are Keras's, whatever structure a model takes and returns."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from exporter.capture.inference import Inference
from exporter.capture.naming import unique
from exporter.errors import UnsupportedError, UsageError
from exporter.spec import TensorInfo


def interface(model, signature=None):
    inference = Inference(model, signature)
    return [i.name for i in inference.inputs], [o.name for o in inference.outputs]


def test_a_dict_is_named_by_its_keys_in_keras_order():
    b, a = keras.Input((4,), name="b"), keras.Input((4,), name="a")
    model = keras.Model({"b": b, "a": a}, {"y": layers.Dense(2)(b), "x": layers.Dense(3)(a)})

    assert interface(model) == (["a", "b"], ["x", "y"])
    assert [t.name for t in model.inputs] == ["a", "b"]


def test_the_key_of_a_dict_wins_over_the_name_of_the_tensor():
    tensor = keras.Input((4,), name="tensor")
    with pytest.warns(UserWarning, match="must match the names"):
        model = keras.Model({"key": tensor}, layers.Dense(2)(tensor))

    assert interface(model)[0] == ["key"]


def test_outputs_take_the_names_of_their_layers_and_are_told_apart():
    x = keras.Input((5, 3), name="x")
    model = keras.Model(x, layers.LSTM(2, return_state=True, name="lstm")(x))

    assert interface(model) == (["x"], ["lstm", "lstm_1", "lstm_2"])


def test_nested_outputs_are_named_by_their_path():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, {"box": [layers.Dense(1)(x), layers.Dense(2)(x)], "label": layers.Dense(3)(x)})

    assert interface(model)[1] == ["box_0", "box_1", "label"]


class TwoArguments(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.table = layers.Dense(2), layers.Embedding(7, 2)

    def build(self, a_shape, ids_shape):
        self.dense.build(a_shape)
        self.table.build(ids_shape)

    def call(self, a, ids):
        return {"sum": self.dense(a) + keras.ops.sum(self.table(ids), axis=1)}


def test_a_subclassed_model_is_named_by_the_arguments_of_call_and_keeps_integers():
    model = TwoArguments()
    model(tf.zeros((2, 4)), tf.zeros((2, 3), tf.int32))
    inference = Inference(model)

    assert [(i.name, i.shape, i.dtype) for i in inference.inputs] == [
        ("a", (None, 4), "float32"),
        ("ids", (None, 3), "int32"),
    ]
    assert [o.name for o in inference.outputs] == ["sum"]


class Bare(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, pixels):
        return self.dense(pixels)


def test_a_bare_output_of_a_subclassed_model_has_no_name_in_keras():
    model = Bare()
    model(np.zeros((2, 4), "float32"))

    assert interface(model) == (["pixels"], ["output_0"])


def test_a_model_that_was_never_called_asks_for_a_signature_and_takes_one():
    with pytest.raises(UsageError, match="no input shapes"):
        Inference(Bare())

    assert interface(Bare(), [keras.InputSpec(shape=(None, 4), dtype="float32")])[0] == ["pixels"]


def test_a_functional_model_that_was_never_called_needs_nothing():
    x = keras.Input((4,), name="x")

    assert interface(keras.Model(x, layers.Dense(2, name="y")(x))) == (["x"], ["y"])


def test_the_batch_of_the_first_call_is_not_the_batch_of_a_sequential():
    model = keras.Sequential([layers.Dense(3)])
    model(np.zeros((2, 4), "float32"))

    assert Inference(model).inputs[0].shape == (None, 4)


def test_a_batch_that_the_model_fixes_stays():
    x = keras.Input(batch_shape=(4, 3), name="x")
    inference = Inference(keras.Model(x, layers.Dense(2)(x)))

    assert inference.inputs[0].shape == (4, 3)
    with pytest.raises(UsageError, match="fixes its batch"):
        inference.inputs_for(2)


def test_a_signature_that_does_not_fit_is_refused():
    x = keras.Input((4,), name="x")
    specs = [keras.InputSpec(shape=(None, 4), dtype="float32")] * 2

    with pytest.raises(UsageError, match="does not fit"):
        Inference(keras.Model(x, layers.Dense(2)(x)), specs)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a", "a"], ["a", "a_1", "a_2"]),
        (["a", "a_1", "a"], ["a", "a_1", "a_2"]),
        (["a", "b"], ["a", "b"]),
        ([], []),
    ],
)
def test_unique(names, expected):
    assert unique(names) == expected


def test_an_output_with_the_name_of_an_input_is_numbered_unless_it_is_that_input():
    x = keras.Input((3,), name="x")
    model = keras.Model({"x": x, "y": keras.Input((3,), name="y")}, {"x": x, "y": x * 2})
    assert [o.name for o in Inference(model).outputs] == ["x", "y_1"]


def test_inference_is_not_training():
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.BatchNormalization()(layers.Dropout(0.5)(x)))
    data = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")

    (result,) = Inference(model).predict({"x": data}).values()

    np.testing.assert_allclose(result, data / np.sqrt(1 + 1e-3), rtol=1e-6)  # one division and a square root


def test_sizes_by_name():
    a, b = keras.Input((None, None, 3), name="a"), keras.Input((None, 4), name="b")
    model = keras.Model({"b": b, "a": a}, [layers.GlobalAveragePooling2D()(a), layers.Dense(2)(b)])

    inference = Inference(model, {"a": (5, None, 3)})
    assert [i.shape for i in inference.inputs] == [(None, 5, None, 3), (None, None, 4)]
    found = inference.predict({"a": np.ones((2, 5, 7, 3), "float32"), "b": np.ones((2, 6, 4), "float32")})
    assert [v.shape for v in found.values()] == [(2, 3), (2, 6, 2)]


def unnamed():
    """Models whose inputs have no names of their own, with the names of their input layers."""
    a, b = keras.Input((4,)), keras.Input((4,))
    x, y = a._keras_history.operation.name, b._keras_history.operation.name
    yield keras.Model(a, layers.Dense(2)(a)), [x]
    yield keras.Model([b, a], layers.Add()([a, b])), [y, x]
    yield keras.Model(a, a), [x]
    called = keras.Sequential([layers.Dense(2)])
    called(np.zeros((3, 4), "float32"))
    for model in (called, keras.Sequential([layers.InputLayer((4,)), layers.Dense(2)])):
        yield model, [model._layers[0].name]


def test_an_input_without_a_name_is_called_as_its_layer_and_so_after_a_reload(tmp_path):
    for model, names in unnamed():
        assert names[0] != model.inputs[0].name  # of the tensor, before
        assert interface(model)[0] == names
        model.save(tmp_path / "model.keras")
        reloaded = keras.saving.load_model(tmp_path / "model.keras")
        assert interface(reloaded) == interface(model)
        assert [t.name for t in reloaded.inputs] == names


def test_sizes_by_the_name_of_the_tensor():
    x = keras.Input((None, 3))
    inference = Inference(keras.Model(x, layers.Dense(2)(x)), {x.name: (5, 3)})
    assert inference.inputs[0].shape == (None, 5, 3)


@pytest.mark.parametrize("shapes", [{"c": (1,)}, {"a": (4,)}, {"a": (2, 5)}, {"a": (2, 3, 4)}])
def test_sizes_that_do_not_fit(shapes):
    x = keras.Input((None, 3), name="a")
    with pytest.raises(UsageError, match="does not fit"):
        Inference(keras.Model(x, layers.Dense(2)(x)), shapes)


class Rows(keras.Model):
    """Looks up rows of a table: traces with integers only."""

    def build(self, table_rows):
        self.table = self.add_weight(shape=(20, 4))

    def call(self, ids):
        return keras.ops.mean(keras.ops.take(self.table, ids, axis=0), 1)


class Words(keras.Model):
    def __init__(self):
        super().__init__()
        self.lookup = layers.StringLookup(vocabulary=["a", "b"])

    def call(self, words):
        return self.lookup(words)


class Masked(keras.Model):
    def __init__(self):
        super().__init__()
        self.table = layers.Embedding(20, 4)

    def call(self, inputs):
        return keras.ops.sum(keras.ops.where(inputs["mask"][..., None], self.table(inputs["ids"]), 0.0), 1)


IDS = np.array([[1, 2, 3], [4, 5, 0]])


@pytest.mark.parametrize(
    ("cls", "data", "expected"),
    [
        (Rows, IDS, {"ids": "int32"}),
        (Words, np.array([["a"], ["z"]], object), {"words": "string"}),
        (Masked, {"ids": IDS, "mask": IDS > 2}, {"ids": "int32", "mask": "bool"}),
    ],
)
@pytest.mark.parametrize("with_data", [False, True])
def test_the_dtypes_of_a_subclassed_model_are_found(cls, data, expected, with_data):
    model = cls()
    model(data if isinstance(data, dict) else tf.constant(data))
    inference = Inference(model, samples=data if with_data else None)
    assert {i.name: i.dtype for i in inference.inputs} == expected


def test_the_users_data_tell_a_dtype_that_the_model_does_not():
    class Sum(keras.Model):
        def call(self, x):
            return keras.ops.sum(keras.ops.cast(x, "float32"), 1)

    model = Sum()
    model(np.zeros((2, 3), "uint8"))
    assert Inference(model).inputs[0].dtype == "float32"
    assert Inference(model, samples=np.zeros((2, 3), "uint8")).inputs[0].dtype == "uint8"
    assert Inference(model, samples=np.zeros((2, 3), "int64")).inputs[0].dtype == "int32"
    assert Inference(model, samples=np.full((2, 3), 2**40)).inputs[0].dtype == "int64"


def test_a_model_that_traces_with_no_dtype_names_the_option():
    class Never(keras.Model):
        def call(self, x):
            raise ValueError("no")

    model = Never()
    model.built, model._build_shapes_dict = True, {"x": (None, 3)}
    with pytest.raises(UnsupportedError, match=r"--input x=int32\[\?,3\]"):
        Inference(model)


def test_shape_and_dtype_by_the_name_of_an_input():
    model = Rows()
    model(IDS)
    inference = Inference(model, {"ids": TensorInfo("ids", (None, 7), "int64")})
    assert inference.inputs == (TensorInfo("ids", (None, 7), "int64"),)
    with pytest.raises(UsageError, match="no such input"):
        Inference(model, {"id": TensorInfo("id", (None, 7), "int64")})


class Optional(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x, skipped=None, segment=None, training=False):
        y = self.dense(x)
        return y if segment is None else y + keras.ops.cast(segment, "float32")


def test_an_optional_tensor_is_taken_when_it_is_named():
    model = Optional()
    model(np.zeros((2, 4), "float32"))
    assert [i.name for i in Inference(model).inputs] == ["x"]
    inference = Inference(model, {"segment": TensorInfo("segment", (None, 2), "int32")})
    assert [str(i) for i in inference.inputs] == ["x: float32[?, 4]", "segment: int32[?, 2]"]
    zeros, ones = np.zeros((1, 4), "float32"), np.ones((1, 2), "int32")
    np.testing.assert_array_equal(inference.predict({"x": zeros, "segment": ones})["output_0"], [[1, 1]])


@pytest.mark.parametrize("given", [(123,), "x", {"x": 3}, [(3,)], [tf.RaggedTensorSpec((None, 3))]])
def test_a_signature_of_another_form_is_explained(given):
    x = keras.Input((3,), name="x")
    with pytest.raises(UsageError, match="something else than shapes and dtypes"):
        Inference(keras.Model(x, layers.Dense(2)(x)), given)


class Moments(NamedTuple):
    mean: object
    spread: object


def test_a_named_tuple_names_the_outputs():
    class Both(keras.Model):
        def call(self, x):
            return Moments(keras.ops.mean(x, 1), keras.ops.std(x, 1))

    model = Both()
    model(np.zeros((2, 4), "float32"))
    assert [o.name for o in Inference(model).outputs] == ["mean", "spread"]
