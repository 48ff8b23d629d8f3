"""Random numbers, assignments and Python functions are found in the traced graph, before anything is converted."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from keras import layers, ops

import exporter
from exporter.capture.inference import Inference
from exporter.capture.source import Source
from exporter.checks import find_problems
from exporter.errors import UnsupportedError
from exporter.spec import Options

STATELESS = ("onnx", "ort", "tflite", "micro")


def found(layer, shape=(4,)):
    x = keras.Input(shape)
    model = keras.Model(x, layer(x))
    problems = find_problems(Source(model, "0" * 64), Options(), Inference(model))
    return [problem for problem in problems if problem.severity == "error"]


class KerasNoise(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.seed = keras.random.SeedGenerator(1)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seed)


class GlobalNoise(layers.Layer):
    def call(self, x):
        return x + keras.random.uniform(ops.shape(x))


class TensorFlowNoise(layers.Layer):
    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


class NoiseInLoop(layers.Layer):
    def call(self, x):
        return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y + tf.random.uniform([])), [0, x])[1]


class GeneratorNoise(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.generator = tf.random.Generator.from_seed(1)

    def call(self, x):
        return x + self.generator.normal(tf.shape(x))


@pytest.mark.parametrize("cls", [KerasNoise, GlobalNoise, TensorFlowNoise, NoiseInLoop, GeneratorNoise])
def test_random_numbers(cls):
    (problem,) = found(cls(name="z"))
    assert problem.where == "layer 'z'"
    assert "random numbers at inference" in problem.reason
    assert "unless training" in problem.remedy
    assert problem.formats == ()


class FixedNoise(layers.Layer):
    def call(self, x):
        return x + keras.random.normal((4,), seed=3)


@pytest.mark.parametrize(
    "layer", [FixedNoise(), layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.BatchNormalization()]
)
def test_what_draws_only_while_training_or_from_a_fixed_seed_is_no_problem(layer):
    assert found(layer) == []


def test_augmentation_is_no_problem():
    assert found(layers.RandomFlip(), (4, 4, 3)) == []


class Counting(layers.Layer):
    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.calls.assign_add(1.0)
        return x * self.calls


class CountingInBranch(Counting):
    def call(self, x):
        calls = self.calls.value
        return x * tf.cond(tf.reduce_sum(x) > 0, lambda: calls.assign_add(1.0), lambda: calls + 0.0)


@pytest.mark.parametrize("cls", [Counting, CountingInBranch])
def test_variables_assigned_in_call(cls):
    (problem,) = found(cls(name="count"))
    assert problem.where == "layer 'count'"
    assert "assigns a variable" in problem.reason
    assert problem.formats == STATELESS


class Python(layers.Layer):
    def call(self, x):
        y = tf.py_function(lambda t: t * 2, [x], tf.float32)
        y.set_shape(x.shape)
        return y


class NumPy(layers.Layer):
    def call(self, x):
        y = tf.numpy_function(lambda t: t * 2, [x], tf.float32)
        y.set_shape(x.shape)
        return y


class Printing(layers.Layer):
    def call(self, x):
        tf.py_function(lambda t: None, [x], [])
        return x * 2


@pytest.mark.parametrize(("cls", "formats"), [(Python, ()), (NumPy, ()), (Printing, ("saved_model",))])
def test_python_functions(cls, formats):
    (problem,) = found(cls(name="py"))
    assert problem.where == "layer 'py'"
    assert "Python function" in problem.reason
    assert problem.formats == formats


@pytest.mark.parametrize("form", ["saved_model", "tflite", "onnx"])
def test_an_export_is_refused_in_every_format(form, tmp_path):
    x = keras.Input((4,))
    report = exporter.export(keras.Model(x, TensorFlowNoise(name="z")(x)), tmp_path / "out", formats=(form,))
    assert not (tmp_path / "out").exists()
    with pytest.raises(UnsupportedError, match="layer 'z'"):
        report.raise_for_status()


class Optional(keras.Model):
    def call(self, x, segment=None, training=False):
        return x if segment is None else x + segment


def test_an_optional_tensor_that_is_left_out_is_told_of():
    model = Optional()
    model(tf.zeros((2, 3)))
    (problem,) = [
        p for p in find_problems(Source(model, "0" * 64), Options(), Inference(model)) if p.severity == "info"
    ]
    assert problem.where == "Optional.call(segment=None)"
    assert "--input" in problem.remedy


def test_names_that_a_saved_model_spells_are_told_of():
    x = keras.Input((3,), name="in put")
    model = keras.Model(x, layers.Dense(2, name="schicht ü")(x))
    first, second = find_problems(Source(model, "0" * 64), Options(), Inference(model))
    assert (first.where, first.severity, first.formats) == ("input 'in put'", "warning", ("saved_model",))
    assert "'in put' is 'in_put'" in first.reason
    assert (second.severity, second.formats) == ("info", ("saved_model",))
    assert "'schicht ü/kernel'" in second.where


def test_ragged_inputs_are_refused_and_sparse_ones_told_of():
    ragged = keras.Input((None,), dtype="int32", ragged=True, name="ids")
    sparse = keras.Input((8,), sparse=True, name="bag")
    ids, bag = layers.Embedding(10, 2)(ragged), layers.Dense(2)(sparse)
    first, second = find_problems(Source(keras.Model([ragged, sparse], [ids, bag]), "0" * 64), Options())
    assert (first.where, first.severity) == ("input 'ids'", "error")
    assert "mask" in first.remedy
    assert (second.where, second.severity) == ("input 'bag'", "warning")
