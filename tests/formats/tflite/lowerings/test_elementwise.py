"""Elementwise functions over their whole range: tails, poles and special values, within XNNPACK."""

from __future__ import annotations

import math
from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tests.conformance.cases.case import inside

ULP = 2.0**-23
NEAR_ZERO = np.array([0.0, 1e-8, -1e-8, 1e-4, -1e-4, 1e-20, -1e-20], "float32")
WIDE = np.array([0.5, -0.5, 2, -2, 5, -5, 17, -17, 20, -20, 50, -50, 80, -80], "float32")
EXTREME = np.array([89, -89, 104, -104, 1e3, -1e3, 1e10, -1e10, 1e30, -1e30, np.inf, -np.inf, np.nan], "float32")
ALL = np.concatenate([NEAR_ZERO, WIDE, EXTREME])
UNIT = np.concatenate([NEAR_ZERO, np.array([0.1, -0.3, 0.5, -0.9, 0.999, 1, -1, 1.5, -2, np.nan], "float32")])

# XNNPACK's EXP is off by up to 32 units in the last place near ±88, by 8 within ±20; everything else by 3.
EXP_STEPS, STEPS = 40, 4


def vectorized(function):
    return np.vectorize(function, otypes=[np.float64])


FUNCTIONS = {
    "log1p": (tf.math.log1p, np.log1p, ALL, STEPS),
    "expm1": (tf.math.expm1, np.expm1, ALL, EXP_STEPS),
    "softplus": (tf.nn.softplus, lambda x: np.logaddexp(x, 0), ALL, EXP_STEPS),
    "sinh": (tf.sinh, np.sinh, ALL, EXP_STEPS),
    "cosh": (tf.cosh, np.cosh, ALL, EXP_STEPS),
    "asinh": (tf.asinh, np.arcsinh, ALL, STEPS),
    "acosh": (tf.acosh, np.arccosh, np.concatenate([ALL, 1 + np.abs(ALL)]), STEPS),
    "atanh": (tf.atanh, np.arctanh, UNIT, STEPS),
    "erf": (tf.math.erf, vectorized(math.erf), ALL, STEPS),
    "erfc": (tf.math.erfc, vectorized(math.erfc), np.clip(ALL, -104, 8), EXP_STEPS),
    "atan": (tf.atan, np.arctan, ALL, STEPS),
    "asin": (tf.asin, np.arcsin, UNIT, STEPS),
    "acos": (tf.acos, np.arccos, UNIT, STEPS),
    "bessel_i0": (
        tf.math.bessel_i0,
        np.i0,
        np.concatenate([ALL, [7.999, 8.0, 8.001, 91.8]]).astype("float32"),
        EXP_STEPS,
    ),
    "bessel_i0e": (
        tf.math.bessel_i0e,
        lambda x: np.exp(-np.abs(x)) * np.i0(x),
        np.concatenate([NEAR_ZERO, WIDE, [7.999, 8.0, 8.001, 91.8, 500, np.nan]]).astype("float32"),
        EXP_STEPS,
    ),
    "selu": (
        tf.nn.selu,
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
        ALL,
        STEPS,
    ),
}


OF_LOGARITHMS = ("log1p", "asinh", "acosh", "atanh")


@cache
def logarithm_of_infinity():
    """What XNNPACK's LOG gives: Inf on CPUs with AVX-512, 88.38 on others (`formats/tflite/limits.py`)."""
    function = tf.function(tf.math.log).get_concrete_function(tf.TensorSpec((1,), "float32"))
    interpreter = Interpreter(model_content=tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.array([np.inf], "float32"))
    interpreter.invoke()
    return float(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")  # NumPy at poles and beyond them
def test_relative_error_over_the_range(layer, name):
    function, exact, x, steps = FUNCTIONS[name]
    exported = layer(inside(function), x.shape)
    (found,) = exported.runner.run({exported.runner.inputs[0].name: x[None]}).values()
    expected = exact(x.astype("float64"))
    rounded = expected.astype("float32")
    np.testing.assert_array_equal(np.isnan(found[0]), np.isnan(rounded))
    infinite = np.isinf(rounded)
    if name not in OF_LOGARITHMS or logarithm_of_infinity() == np.inf:
        np.testing.assert_array_equal(found[0][infinite], rounded[infinite])
    normal = np.isfinite(rounded) & (np.abs(expected) > 2.0**-126)  # below, XNNPACK may flush to zero
    error = np.abs(found[0][normal] - expected[normal]) / np.abs(expected[normal])
    assert error.max() <= steps * ULP, x[normal][error.argmax()]


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_inverse_error_function(layer):
    x = np.array([1e-6, 0.1, -0.5, 0.9, -0.99, 0.9999, 1, -1, 1.5, np.nan], "float32")
    exported = layer(inside(tf.math.erfinv), x.shape)
    (found,) = exported.runner.run({exported.runner.inputs[0].name: x[None]}).values()
    np.testing.assert_array_equal(found[0, 6:8], [np.inf, -np.inf])
    assert np.isnan(found[0, 8:]).all()
    back = vectorized(math.erf)(found[0, :6].astype("float64"))
    np.testing.assert_allclose(back, x[:6], rtol=4 * ULP)


def test_softplus_is_no_logarithm_of_a_sum_of_exponentials(layer):
    exported = layer(keras.ops.softplus, (3,))
    name = exported.runner.inputs[0].name
    (found,) = exported.runner.run({name: np.array([[-30.0, 89.0, 1e30]], "float32")}).values()
    np.testing.assert_allclose(found, [[9.357623e-14, 89.0, 1e30]], rtol=EXP_STEPS * ULP)


@pytest.mark.parametrize("function", [keras.activations.mish, keras.ops.softplus, keras.ops.selu, keras.ops.elu])
def test_activations_stay_within_xnnpack(layer, function):
    """What XNNPACK does not run splits the graph."""
    exported = layer(inside(function), (64,))
    assert not {"SELECT", "SELECT_V2", "GREATER", "GREATER_EQUAL", "LESS", "SIGN", "POW"} & set(exported.ops)
    exported.agrees(np.linspace(-20, 20, 64, dtype="float32")[None])


def test_mish_keeps_its_tail(layer):
    exported = layer(inside(keras.activations.mish), (4,))
    name = exported.runner.inputs[0].name
    (found,) = exported.runner.run({name: np.array([[-20.0, -50.0, 60.0, 1e30]], "float32")}).values()
    np.testing.assert_allclose(found, [[-4.1223073e-8, -9.643749e-21, 60.0, 1e30]], rtol=EXP_STEPS * ULP)


@pytest.mark.parametrize("approximate", [True, False])
def test_gelu_is_one_op(layer, approximate):
    exported = layer(lambda x: keras.ops.gelu(x, approximate=approximate), (64,))
    assert dict(exported.ops) == {"GELU": 1}
    exported.agrees(np.linspace(-8, 8, 64, dtype="float32")[None])


@pytest.mark.parametrize(
    "written",
    [
        lambda x: 0.5 * x * (1.0 + tf.math.erf(x / math.sqrt(2.0))),
        lambda x: x * 0.5 * (tf.math.erf(x * math.sqrt(0.5)) + 1.0),
    ],
)
def test_gelu_as_users_write_it(layer, written):
    assert dict(layer(inside(written), (64,)).ops) == {"GELU": 1}


def test_error_function_beside_a_gelu(layer):
    """Where the error function is used for something else too, it is computed."""

    def call(x):
        gate = tf.math.erf(x / math.sqrt(2.0))
        return 0.5 * x * (1.0 + gate) + gate

    layer(inside(call), (64,)).agrees(np.linspace(-8, 8, 64, dtype="float32")[None])


@pytest.mark.parametrize("kind", [keras.ops.gelu, lambda x: 0.5 * x * (1.0 + tf.math.erf(x / math.sqrt(2.0)))])
@pytest.mark.parametrize(
    ("beside", "fused"),
    [
        (lambda x: 0.5 * x, 0),
        (lambda x: tf.math.erfc(-x * math.sqrt(0.5)), None),
        (lambda x: tf.math.erf(x / math.sqrt(2.0)), None),
        (lambda x: x / math.sqrt(2.0), None),
        (lambda x: x * math.sqrt(0.5), None),
        (lambda x: -x, 1),
        (lambda x: 0.5 * (x + 1.0), 1),
        (keras.ops.gelu, None),
    ],
)
def test_parts_of_a_gelu_that_serve_for_something_else(layer, kind, beside, fused):
    """Equal ops become one before the converter looks for a GELU."""
    gelu = kind if kind is not keras.ops.gelu else lambda x: keras.ops.gelu(x, approximate=False)
    other = beside if beside is not keras.ops.gelu else lambda x: keras.ops.gelu(x, approximate=False)
    exported = layer(inside(lambda x: (gelu(x), other(x))), (64,))
    assert fused is None or exported.ops.get("GELU", 0) == fused
    exported.agrees(np.linspace(-8, 8, 64, dtype="float32")[None])


INTEGERS = np.array([[0, 1, -1, 5, -7, 2**15, -(2**15), 2**31 - 1, -(2**31), 123456789]], "int32")


@pytest.mark.parametrize("function", [keras.ops.bitwise_and, keras.ops.bitwise_or, keras.ops.bitwise_xor])
def test_bits_of_every_sign(layer, function):
    shape = INTEGERS.shape[1:]
    exported = layer(lambda x: function(x, keras.ops.flip(x, axis=-1)), shape, dtype="int32")
    exported.agrees(INTEGERS)
    broadcast = layer(lambda x: function(x, keras.ops.array([[1023]], "int32")), shape, dtype="int32")
    broadcast.agrees(INTEGERS)


@pytest.mark.parametrize("dtype", ["int64", "uint32", "int8", "uint8", "int16"])
def test_bits_of_every_width(layer, dtype):
    info = np.iinfo(dtype)
    rows = np.array([[info.min, info.max, 0, 1, info.max // 3, info.min // 5, 85, 102]])

    def call(x):
        y = keras.ops.flip(x, axis=-1)
        return [f(x, y) for f in (keras.ops.bitwise_and, keras.ops.bitwise_or, keras.ops.bitwise_xor)]

    layer(inside(call), (8,), dtype=dtype).agrees(rows.astype(dtype))
    if dtype != "uint32":
        layer(keras.ops.bitwise_not, (8,), dtype=dtype).agrees(rows.astype(dtype))


def test_shifts_of_64_bits(layer):
    def call(x):
        return (
            keras.ops.left_shift(x, 20),
            keras.ops.right_shift(x, 33),
            keras.ops.right_shift(x, keras.ops.abs(x) % 55),
        )

    layer(inside(call), (5,), dtype="int64").agrees(np.array([[0, 1, -1, 2**42 + 5, -(2**40) - 3]], "int64"))


def test_shifts_and_complement(layer):
    small = np.arange(10, dtype="int32")[None]
    for function in (keras.ops.left_shift, keras.ops.right_shift):
        layer(lambda x, f=function: f(x, keras.ops.array(3, "int32")), (10,), dtype="int32").agrees(small)
    layer(keras.ops.bitwise_not, (10,), dtype="int32").agrees(INTEGERS)


def test_sign_bit_tells_the_zeros_apart(layer):
    exported = layer(keras.ops.signbit, (4,))
    exported.agrees(np.array([[0.0, -0.0, -1.0, np.inf]], "float32"))


@pytest.mark.filterwarnings("ignore:overflow encountered in nextafter:RuntimeWarning")  # beyond the largest is inf
def test_neighbours(layer):
    """Read as bits, for XNNPACK may take subnormal numbers for 0 in a comparison."""
    exported = layer(lambda x, y: keras.ops.view(keras.ops.nextafter(x, y), "int32"), (9, 9), (9, 9))
    ends = np.array([1.0, -1.0, 2.0, 1e-30, 3.4028235e38, -np.inf, np.inf, 0.0, -3.5], "float32")
    x, y = (a[None] for a in np.meshgrid(ends, ends, indexing="ij"))
    names = [i.name for i in exported.runner.inputs]
    (found,) = exported.runner.run(dict(zip(names, (x, y), strict=True))).values()
    np.testing.assert_array_equal(found.view("float32"), np.nextafter(x, y))


def test_neighbours_of_what_is_no_number(layer):
    exported = layer(keras.ops.nextafter, (3,), (3,))
    nan = np.float32(np.nan)
    exported.agrees([np.array([[nan, 1.0, nan]], "float32"), np.array([[1.0, nan, nan]], "float32")])


@pytest.mark.parametrize("function", ["argmax", "argmin"])
def test_places_of_extremes(layer, function):
    exported = layer(lambda x: getattr(keras.ops, function)(x, axis=-1), (5,))
    exported.agrees(
        np.array([[1.0, 3.0, 3.0, -2.0, -2.0]], "float32"), np.array([[0.0, -0.0, 0.0, -0.0, 0.0]], "float32")
    )


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")  # of inputs next to the largest
def test_infinities_are_told_from_large_numbers(layer):
    """The converter would write the largest finite number for an infinite constant."""
    tests = (keras.ops.isinf, keras.ops.isposinf, keras.ops.isneginf, keras.ops.isfinite, keras.ops.isnan)
    exported = layer(inside(lambda x: (*(f(x) for f in tests), keras.ops.nan_to_num(x), x + np.float32(np.inf))), (8,))
    exported.agrees(np.array([[np.inf, -np.inf, np.nan, 3.4028235e38, -3.4028235e38, 0.0, 1e-30, -1.0]], "float32"))
