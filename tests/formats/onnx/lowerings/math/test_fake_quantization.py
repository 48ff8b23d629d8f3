"""Rounding to integer grids, equal to TensorFlow to the last bit: nudged ranges, ties, NaN."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

LADDER = np.concatenate([np.linspace(-7, 8, 1501), [2.5, -2.5, 0.5, 1e-30]]).astype("float32").reshape(-1, 1)
quantization = tf.quantization


def assert_equal(function, *arrays):
    """Assert that the file gives TensorFlow's own float32 numbers: there is no kernel for float64 to compare with."""
    exported = export(model_of(inside(function), *(((None, *a.shape[1:]), "float32") for a in arrays)))
    wanted = tf.nest.flatten(function(*map(tf.constant, arrays)))
    given = exported.runner.run({info.name: a for info, a in zip(exported.inference.inputs, arrays, strict=True)})
    for result, value in zip(given.values(), wanted, strict=True):
        np.testing.assert_array_equal(result, value.numpy())


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("narrow", [False, True])
def test_fake_quantization(bits, narrow):
    """-2 to 2 is nudged to -1.992 to 2.008: 127.5 is rounded away from 0."""

    def function(x):
        results = []
        for low, high in ((-2.0, 2.0), (0.0, 6.0), (-1.3, 4.7), (0.5, 3.0), (-3.0, -1.0)):
            results.append(quantization.fake_quant_with_min_max_args(x, low, high, bits, narrow))
            results.append(
                quantization.fake_quant_with_min_max_vars(x, tf.constant(low), tf.constant(high), bits, narrow)
            )
        return results

    assert_equal(function, LADDER)


def test_fake_quantization_of_channels():
    def function(x):
        return quantization.fake_quant_with_min_max_vars_per_channel(x, [-2.0, -1.0, 0.0], [2.0, 3.0, 6.0])

    assert_equal(function, normal(50, 3) * 3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"range_given": True},
        {"range_given": True, "signed_input": False},
        {"num_bits": 5, "narrow_range": True},
        {"round_mode": "HALF_UP"},
    ],
    ids=str,
)
def test_there_and_back(options):
    assert_equal(lambda x: quantization.quantize_and_dequantize_v2(x, -2.0, 3.0, **options), normal(50, 4) * 2)


def test_there_and_back_of_channels():
    low, high = tf.constant([-2.0] * 4), tf.constant([3.0] * 4)
    assert_equal(lambda x: quantization.quantize_and_dequantize_v2(x, low, high, axis=1), normal(50, 4) * 2)
