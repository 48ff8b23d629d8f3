"""Division and remainders of every pair of signs, at the extremes; floats with infinities, NaN and zeros of either sign."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of
from tests.formats.onnx.lowerings.values import integers, pairs

DTYPES = ("int8", "uint8", "int16", "int32", "uint32", "int64")


def of_two(function, dtype):
    return export(model_of(function, ((None, 1), dtype), ((None, 1), dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [ops.floor_divide, ops.mod, ops.fmod], ids=lambda f: f.__name__)
def test_of_integers(function, dtype):
    x, y = pairs(integers(dtype))
    overflows = (x == np.iinfo(dtype).min) & (y.astype("int64") == -1)  # undefined in C++
    kept = ((y != 0) & ~overflows)[:, 0]
    of_two(function, dtype).check(x[kept], y[kept])


@pytest.mark.parametrize("divisor", [1, 3, -3, 7])
def test_by_a_constant(divisor):
    column = integers("int32")
    export(model_of(lambda x: [ops.floor_divide(x, divisor), ops.mod(x, divisor)], ((None, 1), "int32"))).check(column)


@pytest.mark.parametrize("function", [ops.floor_divide, ops.mod, ops.fmod], ids=lambda f: f.__name__)
def test_of_floats(function):
    numbers = np.array([0, -0.0, 0.5, 1, -1, 2.5, -2.5, 7, -7, np.inf, -np.inf, np.nan], "float32").reshape(-1, 1)
    of_two(function, "float32").check(*pairs(numbers))


@keras.saving.register_keras_serializable("tests")
class Pairs(keras.layers.Layer):
    """Rows in pairs."""

    def call(self, x):
        return ops.reshape(x, (ops.shape(x)[0] // 2, 2, 3))


def test_sizes_are_divided_as_int64():
    exported = export(keras.Sequential([keras.Input((3,)), Pairs()]))
    exported.check(np.arange(12, dtype="float32").reshape(4, 3))
    assert "Where" not in exported.ops, "a size is not negative"
