"""Bits of every integer dtype at its extremes; shifts by every number of bits that the dtype has."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of
from tests.formats.onnx.lowerings.values import integers, pairs

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")


@pytest.mark.parametrize("opset", [13, None])
@pytest.mark.parametrize("dtype", DTYPES)
def test_two_operands(dtype, opset):
    model = model_of(
        lambda x, y: [ops.bitwise_and(x, y), ops.bitwise_or(x, y), ops.bitwise_xor(x, y)],
        ((None, 1), dtype),
        ((None, 1), dtype),
    )
    exported = export(model, opset=opset)
    exported.check(*pairs(integers(dtype)))
    exported.check(integers(dtype)[:0], integers(dtype)[:0])
    assert ("BitwiseAnd" in exported.ops) == (opset is None)


@pytest.mark.parametrize("opset", [13, None])
def test_two_operands_that_broadcast(opset):
    def function(x, y):
        turned = ops.transpose(x, (0, 2, 1))
        return (
            ops.bitwise_xor(turned, y[0]),
            ops.bitwise_or(x, np.int32([6])),
            ops.bitwise_and(turned, ops.transpose(x, (0, 2, 1))),
        )

    x = np.random.default_rng(0).integers(-(2**31), 2**31, (2, 3, 4)).astype("int32")
    export(model_of(function, ((None, 3, 4), "int32"), ((2, 3), "int32")), opset=opset).check(x, x[:, :, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_not(dtype):
    export(model_of(ops.bitwise_not, ((None, 1), dtype))).check(integers(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [ops.left_shift, ops.right_shift], ids=lambda f: f.__name__)
def test_shifts(function, dtype):
    bits = np.arange(np.iinfo(dtype).bits).astype(dtype).reshape(-1, 1)
    model = model_of(function, ((None, 1), dtype), ((None, 1), dtype))
    export(model).check(*pairs(integers(dtype), bits))
