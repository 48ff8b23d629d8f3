"""The table of tolerances: what it says of each dtype, and that every row has its reason."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.verification.tolerances import EXACT, WITH_REFERENCE, WITHOUT_REFERENCE, tolerance_for

EPS = float(np.finfo(np.float32).eps)


def test_float32_allows_four_times_keras_own_error():
    assert tolerance_for("float32").bound(keras_error=1e-3, scale=1.0) == 4e-3


def test_float32_allows_sixteen_units_in_the_last_place_of_the_scale():
    assert tolerance_for("float32").bound(keras_error=0.0, scale=3.0) == 16 * EPS * 3.0


def test_half_precisions_follow_their_significand():
    assert tolerance_for("float16").bound(0.0, 1.0) == 4 * 2.0**-11
    assert tolerance_for("bfloat16").bound(0.0, 1.0) == 4 * 2.0**-8


def test_denormals_count_as_zero():
    assert tolerance_for("float32").bound(0.0, 0.0) == float(np.finfo(np.float32).smallest_normal)
    assert tolerance_for("float16").bound(0.0, 0.0) == float(np.finfo(np.float16).smallest_normal)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "bool", "string"])
def test_what_is_not_rounded_is_exact(dtype):
    assert tolerance_for(dtype) is EXACT
    assert tolerance_for(dtype, reference="float32") is EXACT
    assert EXACT.bound(1.0, 1.0) == 0.0


@pytest.mark.parametrize("dtype", WITH_REFERENCE)
def test_without_a_reference_the_allowance_is_wider_and_needs_no_error(dtype):
    wide, narrow = tolerance_for(dtype, reference="float32"), tolerance_for(dtype)
    assert wide.factor == 0
    assert wide.bound(0.0, 1.0) >= narrow.bound(0.0, 1.0)


def test_complex_numbers_have_the_tolerance_of_their_parts():
    assert tolerance_for("complex64") == tolerance_for("float32")
    assert tolerance_for("complex128") == tolerance_for("float64")


def test_every_row_has_a_reason():
    assert set(WITH_REFERENCE) == set(WITHOUT_REFERENCE)
    assert all(row.reason for row in [EXACT, *WITH_REFERENCE.values(), *WITHOUT_REFERENCE.values()])
