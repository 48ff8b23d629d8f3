"""What the comparison catches that `allclose`, cosines and mean squares let through."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from exporter.verification.compare import compare
from exporter.verification.tolerances import tolerance_for

ONE = tolerance_for("float32").bound(0.0, 1.0)
TINY = float(np.finfo(np.float32).smallest_normal)


def compared(actual, keras, reference=None):
    """Compare one output called y; the reference is Keras's own values unless given."""
    keras = np.asarray(keras)
    reference = np.asarray(keras if reference is None else reference)
    wide = reference.astype("float64") if reference.dtype.kind == "f" else reference
    (result,) = compare({"y": np.asarray(actual)}, {"y": wide}, {"y": keras}, "case")
    return result


def floats(*values):
    return np.array(values, dtype="float32")


def test_equal_values_pass_with_no_error():
    result = compared(floats(1, -2), floats(1, -2))
    assert result.ok
    assert (result.error, result.scale, result.case, result.output) == (0.0, 2.0, "case", "y")


@pytest.mark.parametrize(("factor", "ok"), [(0.9, True), (1.1, False)])
def test_the_limit_is_the_tolerance(factor, ok):
    result = compared(floats(1, factor * ONE), floats(1, 0))
    assert result.ok is ok
    assert result.ratio == pytest.approx(factor, rel=1e-5)


def test_keras_own_error_widens_the_tolerance():
    reference = np.array([1.0, 0.5])
    keras = floats(1, 0.5 + 2**-12)
    assert compare({"y": floats(1, 0.5 + 2**-10)}, {"y": reference}, {"y": keras}, "c")[0].ok
    assert not compare({"y": floats(1, 0.5 + 2**-9)}, {"y": reference}, {"y": keras}, "c")[0].ok


@pytest.mark.parametrize(
    ("actual", "keras"),
    [
        (floats(1, 0), floats(1, np.nan)),
        (floats(1, np.nan), floats(1, 0)),
        (floats(np.inf, 1), floats(-np.inf, 1)),
        (floats(3e38, 1), floats(np.inf, 1)),
        (floats(np.inf, 1), floats(3e38, 1)),
        (floats(np.nan, np.inf), floats(np.inf, np.nan)),
    ],
)
def test_nan_and_infinity_must_stand_where_keras_has_them(actual, keras):
    result = compared(actual, keras)
    assert not result.ok
    assert result.error == np.inf
    assert "Keras" in result.note


def test_nan_and_infinity_in_the_same_places_pass():
    values = floats(np.nan, np.inf, -np.inf, 1)
    assert compared(values, values).ok


def test_a_nan_that_keras_drops_and_the_reference_has_may_stand():
    keras, r64 = floats(np.nan, 0, 0), np.array([np.nan, np.nan, 0])
    for actual, ok in [
        (floats(np.nan, np.nan, 0), True),
        (keras, True),
        (floats(np.nan, np.nan, np.nan), False),
        (floats(0, np.nan, 0), False),
        (floats(np.nan, np.inf, 0), False),
    ]:
        (parity,) = compare({"y": actual}, {"y": r64}, {"y": keras}, "c")
        assert parity.ok is ok


def test_a_difference_beside_a_nan_is_seen():
    assert not compared(floats(np.nan, 1), floats(np.nan, 2)).ok


def test_what_overflows_in_keras_must_overflow_in_the_file():
    """Float64 does not overflow: Keras decides where infinity belongs."""
    keras, reference = floats(np.inf, 1), np.array([1e39, 1.0])
    assert compare({"y": floats(np.inf, 1)}, {"y": reference}, {"y": keras}, "c")[0].ok
    assert not compare({"y": floats(3e38, 1)}, {"y": reference}, {"y": keras}, "c")[0].ok


def test_denormals_may_be_flushed_to_zero():
    assert compared(floats(0.0), floats(TINY / 4)).ok
    assert not compared(floats(0.0), floats(3 * TINY)).ok


def test_minus_zero_is_zero():
    assert compared(floats(-0.0, 1), floats(0.0, 1)).error == 0.0


@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (2, 2), ()])
def test_another_shape_fails_even_if_it_could_be_broadcast(shape):
    result = compared(np.ones(shape, "float32"), floats(1, 1))
    assert not result.ok
    assert "shape" in result.note


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32"])
def test_another_dtype_fails(dtype):
    result = compared(np.ones(2, dtype), floats(1, 1))
    assert not result.ok
    assert dtype in result.note


def test_empty_outputs_pass_if_their_shape_is_right():
    assert compared(np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32")).ok
    assert not compared(np.zeros((0, 2), "float32"), np.zeros((0, 3), "float32")).ok


def test_a_missing_output_fails_and_names_what_there_is():
    (result,) = compare({"z": floats(1)}, {"y": np.ones(1)}, {"y": floats(1)}, "c")
    assert not result.ok
    assert "z" in result.note


@pytest.mark.parametrize(
    ("actual", "keras"),
    [
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([True, False]), np.array([True, True])),
        (np.array(["a", "b"], dtype=object), np.array([b"a", b"c"], dtype=object)),
    ],
)
def test_integers_booleans_and_strings_are_exact(actual, keras):
    result = compared(actual, keras)
    assert not result.ok
    assert result.error == 1.0
    assert "1 of 2" in result.note
    assert compared(keras, keras).ok


def test_text_and_bytes_are_the_same_string():
    assert compared(np.array(["ä"], dtype=object), np.array(["ä".encode()], dtype=object)).ok


def test_an_index_may_follow_the_reference_where_keras_itself_is_in_doubt():
    """Argmax of two nearly equal scores: float32 rounds to one, float64 sees the other."""
    keras, reference = np.array([3, 1]), np.array([2, 1])
    assert compare({"y": np.array([3, 1])}, {"y": reference}, {"y": keras}, "c")[0].ok
    assert compare({"y": np.array([2, 1])}, {"y": reference}, {"y": keras}, "c")[0].ok
    assert not compare({"y": np.array([3, 2])}, {"y": reference}, {"y": keras}, "c")[0].ok


def test_bfloat16_is_a_float():
    keras = np.array([1.0, 2.0], dtype=ml_dtypes.bfloat16)
    assert compared(keras, keras, reference=np.array([1.001, 2.001])).ok
    assert not compared(np.array([1.0, 2.125], dtype=ml_dtypes.bfloat16), keras).ok


def test_float32_stands_for_bfloat16_and_for_nothing_else():
    keras = np.array([1.0, 2.0], dtype=ml_dtypes.bfloat16)
    assert compared(np.array([1.0, 2.0], "float32"), keras).ok
    assert not compared(np.array([1.0, 2.125], "float32"), keras).ok
    assert not compared(np.array([1.0, 2.0], "float64"), keras).ok
    assert not compared(keras, np.array([1.0, 2.0], "float32")).ok


def test_complex_parts_are_both_compared():
    keras = np.array([1 + 1j], dtype="complex64")
    (good,) = compare({"y": keras}, {"y": keras.astype("complex128")}, {"y": keras}, "c")
    (bad,) = compare({"y": keras.conj()}, {"y": keras.astype("complex128")}, {"y": keras}, "c")
    (nan,) = compare({"y": keras * np.nan}, {"y": keras.astype("complex128")}, {"y": keras}, "c")
    assert good.ok
    assert not bad.ok
    assert not nan.ok


def test_without_a_reference_keras_is_the_truth_at_a_wider_tolerance():
    wide = tolerance_for("float32", reference="float32").bound(0.0, 1.0)
    assert compare({"y": floats(1 + 0.9 * wide)}, None, {"y": floats(1)}, "c")[0].ok
    assert not compare({"y": floats(1 + 1.2 * wide)}, None, {"y": floats(1)}, "c")[0].ok
