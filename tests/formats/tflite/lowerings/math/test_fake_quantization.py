"""Simulated quantization: TensorFlow's grid and its rounding."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.formats.tflite.conftest import normal

fake = tf.quantization.fake_quant_with_min_max_args
there_and_back = tf.quantization.quantize_and_dequantize_v2


def rounded(layer, function, *arrays) -> list[np.ndarray]:
    exported = layer(layers.Lambda(function), arrays[0].shape[1:])
    return [next(iter(exported.runner.run({exported.runner.inputs[0].name: a}).values())) for a in arrays]


def test_a_symmetric_range_is_nudged_so_that_zero_lies_on_the_grid(layer):
    """-2 … 2 in 256 steps of 4/255: in single precision less than 127.5 of them lie below zero, so 127 do."""
    x = np.array([[-3.0, -2.0, 0.0, 1.0, 2.0, 3.0]], "float32")
    (found,) = rounded(layer, lambda x: fake(x, -2.0, 2.0), x)
    step = 4 / 255
    np.testing.assert_allclose(found[0, [0, 2, 5]], [-127 * step, 0.0, 128 * step], atol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(-6.0, 6.0), (0.0, 6.0), (1.0, 3.0), (-3.0, -1.0)])
def test_fixed_ranges(layer, low, high):
    x = np.concatenate([normal(1, 64, scale=3.0), np.linspace(low, high, 64, dtype="float32")[None]])[:, None]
    x = x.reshape(1, -1)
    for arguments in ({}, {"num_bits": 4, "narrow_range": True}):
        (found,) = rounded(layer, lambda x, a=arguments: fake(x, low, high, **a), x)
        np.testing.assert_allclose(found, fake(x, low, high, **arguments), rtol=0, atol=1e-6)


def test_ranges_by_channel(layer):
    low, high = np.array([-1.0, -2.0, 0.0], "float32"), np.array([1.0, 3.0, 5.0], "float32")
    x = normal(1, 20, 3, scale=3.0)

    def function(x):
        return tf.quantization.fake_quant_with_min_max_vars_per_channel(x, low, high)

    np.testing.assert_allclose(rounded(layer, function, x)[0], function(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("rounds", ["HALF_TO_EVEN", "HALF_UP"])
def test_quantized_and_back(layer, given, rounds):
    x = normal(1, 100, scale=2.0)

    def function(x):
        return there_and_back(x, -2.0, 3.0, num_bits=5, range_given=given, round_mode=rounds)

    np.testing.assert_allclose(rounded(layer, function, x)[0], function(x), rtol=0, atol=1e-6)
