"""Fourier transforms: of known and unknown numbers of points, odd, even, prime, over up to three axes, there and back."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal


@keras.saving.register_keras_serializable("tests")
class Transform(keras.layers.Layer):
    """A transform as a layer: on symbolic tensors Keras wants to know the number of points."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, inputs):
        return self.function(tuple(inputs))


def pair(function):
    return lambda a, b: list(Transform(function)([a, b]))


@pytest.mark.parametrize("points", [1, 2, 7, 16, 45])
def test_one_axis(points):
    exported = export(model_of(pair(ops.fft), ((None, points), "float32"), ((None, points), "float32")))
    exported.check(normal(3, points), normal(3, points, seed=1))
    exported.check(normal(0, points), normal(0, points))
    assert exported.ops["MatMul"] == 1


@pytest.mark.parametrize("function", [ops.fft2, ops.ifft2])
@pytest.mark.parametrize("shape", [(None, 5, 8), (None, None, 8), (None, None, None)])
def test_two_axes(function, shape):
    exported = export(model_of(pair(function), (shape, "float32"), (shape, "float32")))
    exported.check(normal(2, 5, 8), normal(2, 5, 8, seed=1))
    if shape[1] is None:
        exported.check(normal(1, 30, 8), normal(1, 30, 8, seed=1))


def test_any_number_of_points():
    exported = export(model_of(pair(ops.fft), ((None, None), "float32"), ((None, None), "float32")))
    for points in (1, 2, 7, 64, 301):
        exported.check(normal(2, points), normal(2, points, seed=1))


@pytest.mark.parametrize("length", [None, 7, 20])
def test_of_real_numbers(length):
    def both(x):
        return [*ops.rfft(x, fft_length=length), ops.irfft((x, x), fft_length=length)]

    exported = export(model_of(both, ((None, 12), "float32")))
    exported.check(normal(3, 12))


def test_long_transforms_of_powers_of_two_are_one_dft():
    exported = export(model_of(lambda x: list(ops.rfft(x)), ((None, 2048), "float32")))
    exported.check(normal(2, 2048))
    assert exported.ops["DFT"] == 1


@pytest.mark.parametrize("points", [600, 1500, 521])
def test_long_transforms_of_other_lengths(points):
    """Composite numbers are two rounds of shorter transforms; 521 is a prime."""
    exported = export(model_of(pair(ops.fft), ((None, points), "float32"), ((None, points), "float32")))
    exported.check(normal(2, points), normal(2, points, seed=1))
    assert "DFT" not in exported.ops


@pytest.mark.parametrize("points", [1500, 2048])
def test_long_transforms_of_real_numbers_and_back(points):
    def both(x):
        real, imag = ops.rfft(x)
        return [real, imag, ops.irfft((real, imag * 0.5), fft_length=points)]

    export(model_of(both, ((None, points), "float32"))).check(normal(2, points))


@pytest.mark.parametrize("shape", [(None, 6, 7), (None, None, None)])
@pytest.mark.parametrize("lengths", [None, [5, 8]])
def test_two_axes_of_real_numbers_and_back(shape, lengths):
    def both(x):
        z = tf.signal.rfft2d(x, lengths)
        return [tf.math.real(z), tf.math.imag(z), tf.signal.irfft2d(z, lengths)]

    exported = export(model_of(inside(both), (shape, "float32")))
    exported.check(normal(3, 6, 7))
    if None in shape[1:]:
        exported.check(normal(1, 9, 4))


def test_three_axes_of_real_numbers_and_back():
    def both(x):
        z = tf.signal.rfft3d(x)
        return [tf.math.real(z), tf.math.imag(z), tf.signal.irfft3d(z)]

    export(model_of(inside(both), ((None, 3, 4, 5), "float32"))).check(normal(2, 3, 4, 5))
