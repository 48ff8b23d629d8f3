"""The pass over the graph: ops inside loops, calls and branches, complex numbers, other precisions."""

from __future__ import annotations

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter.errors import UnsupportedError
from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


def test_ops_inside_a_loop(layer):
    exported = layer(
        inside(lambda x: tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, tf.asinh(x)), (0, x))[1]), (4,)
    )
    assert exported.ops["WHILE"] == 1
    exported.agrees(normal(1, 4))


def test_ops_inside_a_branch(layer):
    exported = layer(inside(lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.math.erf(x), lambda: tf.sinh(x))), (4,))
    exported.agrees(np.ones((1, 4), "float32"), -np.ones((1, 4), "float32"))


def test_called_functions_are_written_out(layer):
    @tf.function
    def inner(x):
        return tf.math.log1p(x * x)

    exported = layer(inside(lambda x: inner(x) + 1.0), (4,))
    assert "CALL" not in exported.ops
    exported.agrees(normal(1, 4))


@pytest.mark.parametrize("index", [0, 1, 2, 7])
def test_choice_among_several_branches(export, index):
    x, i = keras.Input((4,)), keras.Input((), dtype="int32")
    chosen = inside(lambda x, i: ops.switch(i[0], [ops.sin, ops.cos, ops.exp], x))(x, i)
    exported = export(keras.Model([x, i], chosen))
    exported.agrees([normal(1, 4), np.array([index], "int32")])


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_half_precision_is_computed_in_single(export, policy):
    x = keras.Input((8, 8, 3))
    y = layers.BatchNormalization(dtype=policy)(layers.Conv2D(4, 3, dtype=policy)(x))
    y = layers.Dense(3, dtype=policy)(layers.GlobalAveragePooling2D(dtype=policy)(y))
    exported = export(keras.Model(x, y))
    assert exported.runner.outputs[0].dtype == "float16"
    exported.agrees(normal(1, 8, 8, 3))


def test_bfloat16_is_taken_and_given_as_float32(export):
    x = keras.Input((4,), dtype="bfloat16")
    exported = export(keras.Model(x, layers.Dense(3, dtype="bfloat16")(x)))
    assert [i.dtype for i in (*exported.runner.inputs, *exported.runner.outputs)] == ["float32", "float32"]
    exported.agrees(normal(1, 4).astype(ml_dtypes.bfloat16))


def test_outputs_that_tflite_cannot_have_are_refused(export):
    x = keras.Input((4,))
    with pytest.raises(UnsupportedError, match="float64") as caught:
        export(keras.Model(x, ops.cast(x, "float64")))
    assert "cast" in caught.value.remedy


def test_inputs_that_are_rounded_are_named(export):
    time = keras.Input((), dtype="float64", name="time")
    exported = export(keras.Model(time, ops.cast(time % 60.0, "float32")))
    assert "128: time" in exported.runner.remarks[0]


def test_double_precision_inside_is_computed_in_single(layer):
    """1e-300 must not become 0, whose logarithm is infinite."""
    exported = layer(inside(lambda x: tf.cast(tf.math.log(tf.cast(x, "float64") ** 2 + 1e-300), "float32")), (3,))
    exported.agrees(normal(1, 3))


@pytest.mark.parametrize("length", [8, 15, 20, 31, 200])
def test_real_fourier_transform(layer, length):
    exported = layer(ops.rfft, (length,))
    exported.agrees(normal(1, length))


@pytest.mark.parametrize("length", [1, 16, 17, 200, 360])
def test_fourier_transform(layer, length):
    exported = layer(lambda a, b: ops.fft((a, b)), (length,), (length,))
    exported.agrees([normal(1, length), normal(1, length, seed=1)])


@pytest.mark.parametrize("function", [tf.signal.fft2d, tf.signal.ifft2d])
def test_fourier_transform_of_lengths_known_at_run_time(layer, function):
    def call(a, b):
        z = function(tf.complex(a, b))
        return tf.math.real(z), tf.math.imag(z)

    exported = layer(inside(call), (None, None), (None, None))
    for sizes in ((1, 1, 1), (1, 7, 12), (1, 2, 300)):
        exported.agrees([normal(*sizes), normal(*sizes, seed=1)])


def test_fourier_transform_and_back(layer):
    exported = layer(lambda x: ops.irfft(ops.rfft(x)), (64,))
    x = normal(1, 64)
    (found,) = exported.runner.run({exported.runner.inputs[0].name: x}).values()
    np.testing.assert_allclose(found, x, atol=2e-6)  # 64 products of float32, twice


def test_complex_arithmetic_of_users(layer):
    def call(a, b):
        z = tf.complex(a, b)
        w = tf.reshape(z * tf.math.conj(z + 1.0) / (z + 2.0), [-1, 2, 3])
        return tf.abs(w), tf.math.angle(tf.transpose(w, [0, 2, 1])), tf.math.real(tf.exp(w))

    keras.utils.set_random_seed(0)
    exported = layer(inside(call), (6,), (6,))
    exported.agrees([normal(1, 6), normal(1, 6, seed=1)])


def test_a_state_is_refused(export):
    x = keras.Input(batch_shape=(1, 5, 4))
    with pytest.raises(UnsupportedError, match="remembers") as caught:
        export(keras.Model(x, layers.LSTM(3, stateful=True, name="keeper")(x)))
    assert "keeper" in caught.value.where


def test_floats_of_8_bits_are_refused(export):
    x = keras.Input((4,))
    dense = layers.Dense(3, name="tiny")
    model = keras.Model(x, dense(x))
    dense.quantize("float8")
    with pytest.raises(UnsupportedError, match="8-bit") as caught:
        export(model)
    assert "tiny" in caught.value.where


def test_augmentation_vanishes(export):
    x = keras.Input((8, 8, 3))
    y = layers.RandomGrayscale()(layers.RandomHue(0.5, value_range=(0, 1))(layers.RandomFlip()(x)))
    exported = export(keras.Model(x, y))
    assert sum(exported.ops.values()) <= 2
    exported.agrees(np.random.default_rng(0).uniform(size=(1, 8, 8, 3)).astype("float32"))
