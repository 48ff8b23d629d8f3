"""Relative precision far from 0, where an absolute tolerance would accept 0 for an answer."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from exporter.activations import elish, hard_sigmoid, hard_swish, mish, swish

RELATIVE = 16 * 2.0**-23


def _sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def _mish(x: Decimal) -> Decimal:
    square = (1 + x.exp()) ** 2
    return x * (square - 1) / (square + 1)


DEFINITIONS = {
    swish: lambda x: x * _sigmoid(x),
    mish: _mish,
    elish: lambda x: (x if x >= 0 else x.exp() - 1) * _sigmoid(x),
}


@pytest.mark.parametrize("function", DEFINITIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("x", [-80.0, -50.0, -20.0, -17.0, -5.0, -1.0, 1.0, 5.0, 20.0, 1e4])
def test_values_far_out_to_the_last_digits(function: Callable[[Any], Any], x: float) -> None:
    with localcontext(prec=80):
        expected = float(DEFINITIONS[function](Decimal(x)))
    np.testing.assert_allclose(ops.convert_to_numpy(function(np.float32([x])))[0], expected, rtol=RELATIVE)


@pytest.mark.parametrize("function", [elish, mish, swish, hard_swish])
@pytest.mark.parametrize("x", [1e30, 3.4e38, np.inf])
def test_large_inputs_pass_and_large_negative_ones_vanish(function: Callable[[Any], Any], x: float) -> None:
    high, low = ops.convert_to_numpy(function(np.float32([x, -x])))
    assert high == np.float32(x)
    assert low == 0


@pytest.mark.parametrize("function", [elish, mish, swish, hard_swish, hard_sigmoid])
def test_nan_stays_nan(function: Callable[[Any], Any]) -> None:
    assert np.isnan(ops.convert_to_numpy(function(np.float32([np.nan])))).all()


def test_negative_beta_mirrors_swish() -> None:
    x = np.float32([-np.inf, -3.4e38, -5, 0, 5, 3.4e38, np.inf])
    mirrored = -ops.convert_to_numpy(swish(-x, beta=1.5))
    np.testing.assert_array_equal(ops.convert_to_numpy(swish(x, beta=-1.5)), mirrored)


def test_hard_sigmoid_is_that_of_keras_2_by_default_and_that_of_keras_3_by_slope() -> None:
    x = np.linspace(-4, 4, 801, dtype="float32")
    ours, theirs = ops.convert_to_numpy(hard_sigmoid(x)), ops.convert_to_numpy(keras.activations.hard_sigmoid(x))
    # What the docstring says: at x = ±2.5 one has arrived at 0 or 1, the other is 1/12 away.
    assert np.abs(ours - theirs).max() == pytest.approx(1 / 12, abs=1e-6)
    same = ops.convert_to_numpy(hard_sigmoid(x, slope=1 / 6))
    np.testing.assert_allclose(same, theirs, atol=2.0**-22)
