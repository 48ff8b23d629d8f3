"""Casts between all dtypes, of numbers that both hold and of halves; a number as a truth value; bits seen as numbers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tests.formats.onnx.lowerings.exported import export, model_of
from tests.formats.onnx.lowerings.values import integers, ladder

DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float16", "float32", "float64")
FLOATS = np.array([0, -0.0, 0.4, 0.5, 1.5, 2.5, 99.9, 1, 3, 100], "float64")


@pytest.mark.parametrize("source", DTYPES)
def test_casts(source):
    exported = export(model_of(lambda x: [ops.cast(x, target) for target in DTYPES], ((None, 1), source)))
    exported.check((FLOATS if source.startswith("float") else np.arange(10) % 2).astype(source).reshape(-1, 1))


@pytest.mark.parametrize("target", ["bool", "float64", "float16"])
def test_casts_of_every_float(target):
    export(model_of(lambda x: ops.cast(x, target), ((None, 1), "float32"))).check(ladder())


@pytest.mark.parametrize("target", ["int8", "uint8", "int16", "uint16", "uint32", "int32", "bool"])
def test_integers_wrap(target):
    export(model_of(lambda x: ops.cast(x, target), ((None, 1), "int64"))).check(integers("int64"))


@pytest.mark.parametrize("target", ["int32", "int64", "uint8"])
def test_floats_are_cut_off(target):
    x = np.array([[0.9], [1.999], [100.5], [0.0]], "float32")
    x = x if target == "uint8" else np.concatenate([x, -x])
    export(model_of(lambda x: ops.cast(x, target), ((None, 1), "float32"))).check(x)


class Bits(layers.Layer):
    """tf.bitcast."""

    def __init__(self, target):
        super().__init__(autocast=False)
        self.target = target

    def call(self, x):
        return tf.bitcast(x, self.target)


@pytest.mark.parametrize(("source", "target"), [("float32", "int32"), ("float64", "int64"), ("int32", "uint32")])
def test_bits(source, target):
    column = integers(source) if source.startswith("int") else ladder(source)
    finite = column[~np.isnan(column[:, 0])]
    export(model_of(Bits(target), ((None, 1), source))).check(finite)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_signs(dtype):
    export(model_of(lambda x: [ops.signbit(x), ops.sign(x), ops.abs(x)], ((None, 1), dtype))).check(ladder(dtype))
