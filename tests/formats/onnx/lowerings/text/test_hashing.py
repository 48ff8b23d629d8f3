"""Hashes of integers of every number of digits and either sign; strings and salts are refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export

SIZES = [10**n for n in range(19)]
NUMBERS = np.array([0, *SIZES, *(n - 1 for n in SIZES), *(9 * n for n in SIZES[:-1]), 123456789012345678])
EXTREMES = np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max, -1])
RANDOM = np.random.default_rng(0).integers(-(2**62), 2**62, 100) >> np.random.default_rng(1).integers(0, 60, 100)
ALL = np.concatenate([NUMBERS, -NUMBERS, EXTREMES, RANDOM])


def hashing(dtype="int64", shape=(1,), **arguments):
    return keras.Sequential([keras.Input(shape, dtype=dtype), layers.Hashing(**arguments)])


@pytest.mark.parametrize("num_bins", [3, 1000, 2**31 - 1])
def test_every_number_of_digits(num_bins):
    exported = export(hashing(num_bins=num_bins, dtype="int64"))
    exported.check(ALL.reshape(-1, 1))
    exported.check(ALL[:0].reshape(-1, 1))
    assert exported.ops["BitwiseXor"] > 0


@pytest.mark.parametrize(
    "arguments",
    [{"mask_value": 7}, {"output_mode": "one_hot"}, {"output_mode": "multi_hot"}, {"output_mode": "count"}],
    ids=str,
)
def test_modes(arguments):
    exported = export(hashing("int32", (3,), num_bins=6, **arguments))
    exported.check(np.arange(-6, 9, dtype="int32").reshape(5, 3))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_narrow_integers(dtype):
    exported = export(hashing(dtype, num_bins=50))
    info = np.iinfo(dtype)
    exported.check(np.array([[info.min], [info.max], [0], [1], [100]], dtype))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("mode", ["int", "one_hot"])
def test_crosses(mode, dtype):
    inputs = [keras.Input((1,), dtype=dtype) for _ in range(2)]
    exported = export(keras.Model(inputs, layers.HashedCrossing(100, mode)(tuple(inputs))))
    numbers = ALL.astype(dtype)
    exported.check(numbers.reshape(-1, 1), np.roll(numbers, 7).reshape(-1, 1))


@pytest.mark.parametrize("shape", [(1,), ()], ids=str)
def test_no_crosses(shape):
    """No rows have the shape that Keras declares; its own result is (0, 0) against it, or an error."""
    inputs = [keras.Input(shape, dtype="int32") for _ in range(2)]
    exported = export(keras.Model(inputs, layers.HashedCrossing(5)(tuple(inputs))))
    nothing = np.zeros((0, *shape), "int32")
    (crosses,) = exported.runner.run({info.name: nothing for info in exported.inference.inputs}).values()
    assert crosses.shape == (0, *shape)


@pytest.mark.parametrize("shape", [(1,), (3,)], ids=str)
def test_no_hashes(shape):
    export(hashing("int64", shape, num_bins=9)).check(np.zeros((0, *shape), "int64"))


@pytest.mark.parametrize(
    "model",
    [
        lambda: hashing("string", num_bins=5),
        lambda: hashing(num_bins=5, salt=3),
    ],
    ids=["strings", "salt"],
)
def test_refusals(model):
    with pytest.raises(UnsupportedError, match=r"StringLookup|lookup layer"):
        export(model())


def test_below_opset_18():
    """Which has the first exclusive or; before, it is made of bits."""
    exported = export(hashing(num_bins=1000), opset=13)
    exported.check(ALL.reshape(-1, 1))
    assert "BitwiseXor" not in exported.ops
    inputs = [keras.Input((1,), dtype="int64") for _ in range(2)]
    crossing = export(keras.Model(inputs, layers.HashedCrossing(100)(tuple(inputs))), opset=13)
    crossing.check(ALL.reshape(-1, 1), np.roll(ALL, 7).reshape(-1, 1))
