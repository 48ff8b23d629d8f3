"""Dense: Gemm, MatMul, or a 1x1 Conv where an image lies channels-first."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.weights import randomized


def model(shape, *stack) -> keras.Model:
    return randomized(keras.Sequential([keras.Input(shape), *stack]))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4,), (5, 4), (None, 4), (3, 5, 4), (2, None, 5, 4)], ids=str)
def test_ranks(shape, bias):
    exported = export(model(shape, layers.Dense(3, use_bias=bias)))
    sizes = [d or 6 for d in shape]
    exported.check(normal(2, *sizes))
    exported.check(normal(0, *sizes))
    matrix = {"Gemm"} if len(shape) == 1 else {"MatMul", "Add"} if bias else {"MatMul"}
    assert set(exported.ops) == matrix


def test_image_that_lies_channels_first_is_not_turned():
    stack = [layers.Conv2D(8, 3), layers.Dense(5, activation="relu"), layers.Conv2D(4, 1)]
    exported = export(model((9, 9, 3), *stack, layers.GlobalMaxPooling2D()))
    exported.check(normal(2, 9, 9, 3))
    assert exported.ops["Conv"] == 3
    assert exported.ops["Transpose"] == 1


def test_sequence_that_lies_time_major_is_not_turned():
    exported = export(model((5, 3), layers.LSTM(4, return_sequences=True), layers.Dense(6), layers.GRU(2)))
    exported.check(normal(2, 5, 3))
    assert exported.ops["Transpose"] == 1


def test_low_rank_adaptation_is_merged_into_the_kernel():
    dense = layers.Dense(3)
    adapted = model((4,), dense)
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(np.ones(dense.lora_kernel_b.shape))
    exported = export(adapted)
    exported.check(normal(2, 4))
    assert dict(exported.ops) == {"Gemm": 1}


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, 1e30])
def test_specials(special):
    x = normal(3, 4)
    x[1, 2] = special
    export(model((4,), layers.Dense(3))).check(x)


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16"])
def test_other_precisions(dtype):
    exported = export(keras.Sequential([keras.Input((5, 4), dtype="float64"), layers.Dense(3, dtype=dtype)]))
    exported.check(normal(2, 5, 4).astype("float64"))


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize` method")
def test_quantized_by_keras():
    quantized = model((5, 4), layers.Dense(3, activation="relu"))
    quantized.quantize("int8")
    exported = export(quantized)
    exported.check(normal(2, 5, 4))
    assert exported.ops["MatMul"] == 1  # exact in float32 for so few products, and faster than MatMulInteger
