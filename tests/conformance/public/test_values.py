"""Values and gradients of every public layer, activation and loss against float64, over the boundary ladder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from tests.conformance.public import ladder, references
from tests.conformance.public.cases import (
    FUNCTIONS,
    LOSSES,
    Case,
    Elementwise,
    build,
    expected_outputs,
    layer_cases,
    weights_of,
)
from tests.conformance.public.compare import EPSILON, ULPS, assert_within, per_element, per_row, representable
from tests.conformance.public.gradients import gradients

LAYER_CASES = [pytest.param(cls, case, id=name) for name, cls, case in layer_cases()]
# An integer input has no gradient.
DIFFERENTIABLE_CASES = [
    pytest.param(cls, case, id=name) for name, cls, case in layer_cases() if case.dtype == "float32"
]
FUNCTION_CASES = [
    pytest.param(function, case, id=f"{function.__name__}-{number}")
    for function, cases in FUNCTIONS.items()
    for number, case in enumerate(cases)
]
LOSS_CASES = [
    pytest.param(loss, arguments, id=f"{loss.__name__}-{arguments['delta']}")
    for loss, cases in LOSSES.items()
    for arguments in cases
]
HALF_PRECISION = ("float16", "bfloat16")
# So small that a sum over the whole ladder, 3.4e38 included, stays in the range of float32.
SMALL = 2.0**-8


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_layer_values(cls: type, case: Case) -> None:
    x = case.ladder()
    layer = build(cls, case, x)
    expected = expected_outputs(case, layer, x)
    for actual, reference in zip(_arrays(layer(x)), expected, strict=True):
        assert_within(actual, reference, reference, _tolerance(case, reference))


@pytest.mark.parametrize(("function", "case"), FUNCTION_CASES)
def test_function_values(function: Callable[..., Any], case: Elementwise) -> None:
    x = case.ladder()
    (reference,) = expected_outputs(case, None, x)
    actual = ops.convert_to_numpy(function(x, **case.arguments))
    assert_within(actual, reference, reference, _tolerance(case, reference))


@pytest.mark.parametrize(("cls", "case"), DIFFERENTIABLE_CASES)
def test_layer_gradients(cls: type, case: Case) -> None:
    x = case.ladder()
    x = x[np.isfinite(x).all(axis=tuple(range(1, x.ndim)))]
    layer = build(cls, case, x)
    if isinstance(case, Elementwise):
        _compare_slopes(layer, case, x)
    else:
        _compare_pullback(layer, case, x)


@pytest.mark.parametrize(("function", "case"), FUNCTION_CASES)
def test_function_gradients(function: Callable[..., Any], case: Elementwise) -> None:
    x = case.ladder()
    _compare_slopes(lambda value: function(value, **case.arguments), case, x[np.isfinite(x)][:, None])


@pytest.mark.parametrize("dtype", HALF_PRECISION)
@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_mixed_precision(cls: type, case: Case, dtype: str) -> None:
    """Output in the half precision; no worse than its rounding of the input, the intermediate values and the output."""
    x = _rounded(case.sample(), dtype)
    layer = build(cls, case, x, dtype=f"mixed_{dtype}")
    assert all(weight.dtype == "float32" for weight in layer.weights)
    outputs = layer(x)
    for output, reference in zip(_flat(outputs), expected_outputs(case, layer, x), strict=True):
        assert keras.utils.standardize_dtype(output.dtype) == ("int32" if reference.dtype == np.int64 else dtype)
        tolerance = ULPS * EPSILON[dtype] * np.abs(reference).max(initial=1.0)
        actual = ops.convert_to_numpy(ops.cast(output, "float32"))
        assert_within(actual, reference, reference, np.full(reference.shape, tolerance))


@pytest.mark.parametrize("dtype", HALF_PRECISION)
@pytest.mark.parametrize(("function", "case"), FUNCTION_CASES)
def test_half_precision_ladder(function: Callable[..., Any], case: Elementwise, dtype: str) -> None:
    """No NaN and no wrong Inf anywhere, values and slopes right up to the largest number of the half precision."""
    x = case.ladder()
    x = _rounded(x[np.isfinite(representable(x, dtype))][:, None], dtype)
    (reference,) = case.expected(x.astype("float64"), {})
    actual = ops.convert_to_numpy(ops.cast(function(ops.cast(x, dtype), **case.arguments), "float32"))
    tolerance = per_element(reference, dtype, absolute=ULPS * EPSILON[dtype])
    assert_within(actual, representable(reference, dtype), representable(reference, dtype), tolerance)

    def total(value: Any) -> Any:
        return ops.sum(ops.cast(function(ops.cast(value, dtype), **case.arguments), "float32") * np.float32(SMALL))

    slope, _ = gradients(total, x, [])
    low, high = _slopes(case, x, dtype)
    assert_within(slope / SMALL, low, high, per_element(high, dtype, absolute=ULPS * EPSILON[dtype]))


@pytest.mark.parametrize(("loss", "arguments"), LOSS_CASES)
def test_loss_values_and_gradients(loss: Any, arguments: dict[str, float]) -> None:
    error = ladder.elements(knots=(0.0, arguments["delta"], -arguments["delta"]))
    y_true = np.zeros_like(error)
    function = loss(**arguments, reduction="none") if isinstance(loss, type) else _with(loss, arguments)
    with np.errstate(invalid="ignore", over="ignore"):
        reference = representable(references.huber(error.astype("float64"), **arguments))[:, 0]
    actual = ops.convert_to_numpy(function(y_true, error))
    assert_within(actual, reference, reference, per_element(reference))

    finite = error[np.isfinite(error)][:, None]
    slope, _ = gradients(lambda value: ops.sum(function(y_true[: len(finite)], value)), finite, [])
    expected = references.huber_slope(finite.astype("float64"), **arguments)
    assert_within(slope, expected, expected, per_element(expected))


def _with(loss: Callable[..., Any], arguments: dict[str, float]) -> Callable[[Any, Any], Any]:
    return lambda y_true, y_pred: loss(y_true, y_pred, **arguments)


def _compare_slopes(function: Callable[[Any], Any], case: Elementwise, x: np.ndarray) -> None:
    slope, _ = gradients(lambda value: ops.sum(function(value) * np.float32(SMALL)), x, [])
    low, high = _slopes(case, x, "float32")
    # Slopes are sums of terms of about 1, so a slope near 0 carries their rounding.
    assert_within(slope / SMALL, low, high, per_element(high, absolute=ULPS * EPSILON["float32"]))


def _slopes(case: Elementwise, x: np.ndarray, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """The interval of right answers: at a knot, and within rounding of it, either side's slope and all between."""
    step = 4 * EPSILON[dtype]
    nearby = [x.astype("float64") * factor for factor in (1 - step, 1, 1 + step)]
    slopes = [case.slope(value, **case.arguments) for value in nearby]
    return np.min(slopes, axis=0), np.max(slopes, axis=0)


def _compare_pullback(layer: Any, case: Any, x: np.ndarray) -> None:
    outputs = _arrays(layer(x))
    generator = np.random.default_rng(4)
    cotangent = (SMALL * generator.standard_normal(outputs[case.float_output].shape)).astype("float32")
    factor = ops.convert_to_tensor(cotangent)

    def total(value: Any) -> Any:
        return ops.sum(_flat(layer(value))[case.float_output] * factor)

    by_x, by_weights = gradients(total, x, layer.trainable_variables)
    weights = weights_of(layer)
    to_x, to_weights = case.pullback(x.astype("float64"), weights, cotangent.astype("float64"))
    assert_within(by_x, to_x, to_x, per_row(to_x))
    assert len(by_weights) == len(weights)
    for name, actual in zip(weights, by_weights, strict=True):
        reference = to_weights[name]
        scale = np.full(reference.shape, ULPS * EPSILON["float32"] * np.abs(reference).max())
        assert_within(actual, reference, reference, scale)


def _tolerance(case: Case, reference: np.ndarray) -> np.ndarray:
    if reference.dtype == np.int64:
        return np.zeros(reference.shape)
    tolerance = per_element if isinstance(case, Elementwise) else per_row
    return tolerance(reference, absolute=case.absolute)


def _rounded(x: np.ndarray, dtype: str) -> np.ndarray:
    """Float inputs that the half precision represents exactly, so that only the layer's own rounding is measured."""
    return x if x.dtype == np.uint8 else ops.convert_to_numpy(ops.cast(ops.cast(x, dtype), "float32"))


def _flat(outputs: Any) -> list[Any]:
    return keras.tree.flatten(outputs)


def _arrays(outputs: Any) -> list[np.ndarray]:
    return [ops.convert_to_numpy(output) for output in _flat(outputs)]
