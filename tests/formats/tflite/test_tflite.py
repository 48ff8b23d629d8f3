"""Writing, opening and inspecting TFLite files: names, order, bytes, batches, refusals."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError, UnsupportedError, UsageError
from exporter.spec import Options

RNG = np.random.default_rng(0)


def write(model, path, metadata=None, **options):
    chosen = formats.get("tflite")
    chosen.write(Inference(model), path, Options(**options), metadata or {})
    return chosen


def normal(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tflite"


@pytest.fixture
def two_in_four_out():
    a, b = keras.Input((4,), name="a b"), keras.Input((4,), name="z")
    ones = keras.ops.ones((1, 2))
    outputs = {"head 1": layers.Dense(3)(a), "head/2": b, "copy": b, "last": layers.Dense(2)(b) + ones}
    return keras.Model([a, b], outputs)


@pytest.mark.parametrize(("batch", "rows"), [(1, 1), (3, 3), ("dynamic", 5)])
def test_keras_names_order_and_numbers(two_in_four_out, path, batch, rows):
    chosen = write(two_in_four_out, path, tflite_batch=batch)
    runner = chosen.open(path)
    data = {"a b": normal(rows, 4), "z": normal(rows, 4)}
    assert [i.name for i in runner.inputs] == ["a b", "z"]
    assert [o.name for o in runner.outputs] == ["copy", "head 1", "head/2", "last"]
    assert runner.inputs[0].shape == (None if batch == "dynamic" else batch, 4)
    expected = Inference(two_in_four_out).predict(data)
    for name, value in runner.run(data).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6)  # float32, sums of 4


def test_other_runtimes_find_the_names(two_in_four_out, path):
    from ai_edge_litert.interpreter import Interpreter

    write(two_in_four_out, path)
    signature = Interpreter(model_path=str(path)).get_signature_list()["serving_default"]
    assert sorted(signature["inputs"]) == ["a b", "z"]
    assert sorted(signature["outputs"]) == ["copy", "head 1", "head/2", "last"]


def test_metadata_comes_back(two_in_four_out, path):
    metadata = {"version": "1", "layers": {"dichte ü": ["a"]}, "n": 3}
    found = write(two_in_four_out, path, metadata).inspect(path)
    assert found.metadata == metadata
    assert found.facts["minimum_runtime"].startswith("TensorFlow Lite 1.")
    assert found.facts["flex_ops"] == found.facts["custom_ops"] == []
    assert found.ops["FULLY_CONNECTED"] == 2
    assert found.size == path.stat().st_size


def test_same_input_same_bytes(path):
    i = keras.Input((6, 3))
    model = keras.Model(i, layers.Dense(2)(layers.GRU(4)(i)))
    write(model, path)
    first = path.read_bytes()
    Inference(model).concrete(2)  # moves the counters of TensorFlow
    write(model, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("dtype", ["int32", "int64", "bool", "uint8", "float32"])
def test_inputs_keep_their_dtype(path, dtype):
    i = keras.Input((4,), dtype=dtype, name="i")
    model = keras.Model(i, [i, keras.ops.cast(i, "float32") * 2])
    runner = write(model, path).open(path)
    data = {"i": RNG.integers(0, 2, (1, 4)).astype(dtype)}
    for name, value in Inference(model).predict(data).items():
        found = runner.run(data)[name]
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)


def test_dynamic_dimensions_take_the_sizes_of_the_arrays(path):
    i = keras.Input((None, 3), name="i")
    model = keras.Model(i, layers.Dense(2, name="o")(i))
    runner = write(model, path, tflite_batch="dynamic").open(path)
    for shape in [(1, 1, 3), (7, 5, 3), (2, 9, 3)]:
        data = {"i": normal(*shape)}
        np.testing.assert_allclose(runner.run(data)["o"], Inference(model).predict(data)["o"], rtol=1e-5, atol=1e-6)


def test_sizes_are_asked_for_by_name_and_taken(path):
    x, y = keras.Input((None, None, 3), name="picture"), keras.Input((None, 4), name="sequence")
    small = layers.Resizing(5, 7, interpolation="bicubic")(x)
    model = keras.Model([x, y], [small, layers.Dense(2)(y)])
    with pytest.raises(UnsupportedError, match="ResizeBicubic") as caught:
        write(model, path)
    assert "--shape picture=64,64,3" in caught.value.remedy
    assert not path.exists()
    chosen = formats.get("tflite")
    chosen.write(Inference(model, {"picture": (8, 9, 3)}), path, Options(), {})
    assert [i.shape for i in chosen.open(path).inputs] == [(1, 8, 9, 3), (1, None, 4)]


def test_sizes_are_not_asked_for_where_they_do_not_help(path):
    x = keras.Input((None, 3), dtype="string", name="text")
    with pytest.raises(UnsupportedError) as caught:
        write(keras.Model(x, layers.Hashing(5)(x)), path)
    assert "--shape" not in caught.value.remedy


def test_strings_of_any_number_of_rows(path):
    text = keras.Input((2,), dtype="string", name="text")
    runner = write(
        keras.Model(text, layers.StringLookup(vocabulary=["a", "b"])(text)), path, tflite_batch="dynamic"
    ).open(path)
    for rows in (1, 3, 2):
        (found,) = runner.run({"text": np.array([["a", "c"]] * rows)}).values()
        np.testing.assert_array_equal(found, [[1, 0]] * rows)


def test_an_op_without_counterpart_is_refused_with_its_layer(path):
    class Strange(layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.raw_ops.Betainc(a=x, b=x, x=x)

    model = keras.Sequential([keras.Input((4,)), Strange(name="strange_thing")])
    with pytest.raises(UnsupportedError, match="strange_thing") as caught:
        write(model, path)
    assert "Betainc" in caught.value.reason
    assert caught.value.remedy
    assert not path.exists()


def test_text_layers_are_split_off_as_the_message_says(path):
    text = keras.Input((1,), dtype="string")
    ids = layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=3, name="words")(text)
    model = keras.Model(text, layers.Dense(2, name="o")(layers.Embedding(4, 3)(ids)))
    with pytest.raises(UnsupportedError) as caught:
        write(model, path)
    rest = eval(caught.value.remedy.rpartition(": ")[2], {"keras": keras, "model": model})
    ids = np.array([[2, 3, 0]])
    found = write(rest, path).open(path).run({next(iter(Inference(rest).inputs)).name: ids})["o"]
    np.testing.assert_allclose(found, model(np.array([["a b"]])), rtol=1e-5, atol=1e-6)  # float32, sums of 3


@pytest.mark.parametrize("content", [b"", b"no flatbuffer at all", b"\x1c\0\0\0TFL3" + b"\xff" * 64])
def test_a_file_that_is_none_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InvalidArtifactError):
        formats.get("tflite").open(path)


def test_wrong_arrays_are_refused(two_in_four_out, path):
    runner = write(two_in_four_out, path).open(path)
    with pytest.raises(UsageError, match="missing"):
        runner.run({"z": normal(1, 4)})
    with pytest.raises(UsageError, match="does not fit"):
        runner.run({"a b": normal(2, 4), "z": normal(2, 4)})


def test_a_model_of_any_length_that_needs_a_great_one_is_tried_at_such(path):
    x = keras.Input((None, 1), name="x")
    y = x
    for _ in range(3):
        y = layers.Conv1D(2, 10, strides=10)(y)
    runner = write(keras.Model(x, layers.GlobalAveragePooling1D(name="y")(y)), path).open(path)
    assert runner.run({"x": normal(1, 2000, 1)})["y"].shape == (1, 2)
