"""Bits of every integer dtype at its extremes; shifts by every number of bits that the dtype has."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from exporter.errors import UnsupportedError
from tests.lowerings.onnx.exported import export, model_of
from tests.lowerings.onnx.values import integers, pairs

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_two_operands(dtype):
    model = model_of(
        lambda x, y: [ops.bitwise_and(x, y), ops.bitwise_or(x, y), ops.bitwise_xor(x, y)],
        ((None, 1), dtype),
        ((None, 1), dtype),
    )
    export(model).check(*pairs(integers(dtype)))


def test_it_needs_opset_18():
    with pytest.raises(UnsupportedError, match="opset 18"):
        export(model_of(ops.bitwise_and, ((None, 1), "int32"), ((None, 1), "int32")), opset=17)


@pytest.mark.parametrize("dtype", DTYPES)
def test_not(dtype):
    export(model_of(ops.bitwise_not, ((None, 1), dtype))).check(integers(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [ops.left_shift, ops.right_shift], ids=lambda f: f.__name__)
def test_shifts(function, dtype):
    bits = np.arange(np.iinfo(dtype).bits).astype(dtype).reshape(-1, 1)
    model = model_of(function, ((None, 1), dtype), ((None, 1), dtype))
    export(model).check(*pairs(integers(dtype), bits))
