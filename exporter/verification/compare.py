"""Compare what a file computed with what Keras computes, output by output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.spec import OutputParity
from exporter.verification.expectation import Bound, Expectation, differences, exact_differences, expect_all
from exporter.verification.floats import dtype_name, is_inexact, kinds_of, largest, stands_for, widest
from exporter.verification.softmax import log_errors

_NAMES = ((2, "NaN"), (4, "+Inf"), (8, "-Inf"))


@dataclass(frozen=True)
class _Verdict:
    """How one output compares.

    Args:
        error: the largest; infinite where something did not match at all.
        note: what did not match, or what was excused.
        beyond: how many elements are beyond the tolerance.
        undetermined: how many elements float32 does not determine.
    """

    error: float
    note: str = ""
    beyond: int = 0
    undetermined: int = 0


def compare(
    actual: Mapping[str, np.ndarray],
    r64: Mapping[str, np.ndarray] | None,
    r32: Mapping[str, np.ndarray],
    case: str,
) -> tuple[OutputParity, ...]:
    """Compare by output name.

    Args:
        actual: what the file computed.
        r64: the float64 reference; None where there is none (a wider tolerance, see `tolerances`).
        r32: what Keras computes, in the outputs' dtypes.
        case: name of the sample.

    Returns:
        One entry per output of Keras. An error is infinite, with a note, where the output is missing or shape, dtype
        or the places of NaN, +Inf and -Inf differ. Extra outputs of the file are ignored.
    """
    return compare_expected(actual, expect_all(r32, r64), case)


def compare_expected(
    actual: Mapping[str, np.ndarray], expected: Sequence[Expectation], case: str
) -> tuple[OutputParity, ...]:
    """Do what `compare` does, with the bounds measured before.

    What a softmax makes is compared twice: as it is, and as logits.
    """
    return tuple(parity for e in expected for parity in _compare_output(actual, e, case))


def _compare_output(actual: Mapping[str, np.ndarray], expected: Expectation, case: str) -> Iterator[OutputParity]:
    if expected.output not in actual:
        missing = _Verdict(np.inf, f"no such output; the file has {', '.join(actual) or 'none'}")
        yield _parity(missing, expected, expected.bound, case)
        return
    value = np.asarray(actual[expected.output])
    verdict = _compare_values(value, expected)
    yield _parity(verdict, expected, expected.bound, case)
    if expected.log_bound is not None and np.isfinite(verdict.error):
        errors = log_errors(value, expected.reference)
        logits = _judge(errors, expected.log_bound, np.ones(errors.shape, bool))
        yield _parity(logits, expected, expected.log_bound, f"{case}, as logits")


def _parity(verdict: _Verdict, expected: Expectation, bound: Bound, case: str) -> OutputParity:
    return OutputParity(
        output=expected.output,
        case=case,
        error=verdict.error,
        tolerance=bound.tolerance,
        scale=bound.scale,
        keras_error=bound.keras_error,
        note=verdict.note,
        elements=expected.keras.size,
        beyond=verdict.beyond,
        undetermined=verdict.undetermined,
    )


def _compare_values(value: np.ndarray, expected: Expectation) -> _Verdict:
    if not stands_for(dtype_name(value), expected.dtype):
        return _Verdict(np.inf, f"dtype {dtype_name(value)}, Keras gives {expected.dtype}")
    if value.shape != expected.keras.shape:
        return _Verdict(np.inf, f"shape {value.shape}, Keras gives {expected.keras.shape}")
    if not is_inexact(value):
        return _compare_exact(value, expected)
    if mismatch := _mismatched_kinds(value, expected):
        return mismatch
    several = np.zeros(value.shape, bool) if expected.kinds is None else expected.kinds != kinds_of(expected.keras)
    reference = np.where(np.isfinite(expected.reference), expected.reference, widest(expected.keras))
    return _judge(differences(value, reference), expected.bound, ~several)


def _judge(errors: np.ndarray, bound: Bound, compared: np.ndarray) -> _Verdict:
    """Return the largest error of what float32 determines; the others may go as far as the draws go."""
    excused = bound.excused(errors) | ~compared
    undetermined = ~compared if bound.undetermined is None else bound.undetermined | ~compared
    count = int(np.count_nonzero(undetermined))
    note = f"{count} of {errors.size} elements undetermined: float32 itself does not determine them" if count else ""
    beyond = int(np.count_nonzero(errors[~excused] > bound.tolerance))
    return _Verdict(largest(errors, ~excused), note, beyond, count)


def _compare_exact(value: np.ndarray, expected: Expectation) -> _Verdict:
    """Count wrong elements. Where rounding changes what Keras gives (a tie in argmax), what any draw gives may stand."""
    keras, reference = expected.keras, expected.reference
    if expected.dtype == "string":
        value, keras, reference = (_as_bytes(array) for array in (value, keras, reference))
    wrong = (value != keras) & (value != reference)
    undetermined = 0
    if expected.bound.undetermined is not None:
        wrong &= ~expected.bound.excused(exact_differences(value, reference))
        undetermined = int(np.count_nonzero(expected.bound.undetermined))
    count = int(np.count_nonzero(wrong))
    return _Verdict(float(count), f"{count} of {value.size} elements differ" if count else "", count, undetermined)


def _mismatched_kinds(value: np.ndarray, expected: Expectation) -> _Verdict | None:
    """Return a verdict where NaN, +Inf and -Inf are not at places where Keras, the reference or a draw has them.

    TensorFlow's float32 kernels for CPUs drop some NaN. Its softmax of (NaN, 1, 2) is (NaN, 0, 0), and its ReLU of NaN behind
    a convolution 0; the reference keeps them, and a file may do either.
    """
    found, keras = kinds_of(value), kinds_of(expected.keras)
    allowed = keras if expected.kinds is None else expected.kinds
    wrong = (found & ~allowed) != 0
    if not wrong.any():
        return None
    count = int(np.count_nonzero(wrong))
    for bit, name in ((b << shift, name) for shift in (0, 4) for b, name in _NAMES):
        if (((found ^ keras) & bit) != 0)[wrong].any():
            places = [np.count_nonzero(kinds & bit) for kinds in (found, keras)]
            return _Verdict(np.inf, f"{name} at {places[0]} places, in Keras at {places[1]}", count)
    return _Verdict(np.inf, f"{count} of {value.size} elements are not finite as in Keras", count)


def _as_bytes(array: np.ndarray) -> np.ndarray:
    """Return text as UTF-8 bytes: runtimes disagree on str or bytes."""
    encoded = [v.encode() if isinstance(v, str) else bytes(v) for v in array.ravel().tolist()]
    return np.array(encoded, dtype=object).reshape(array.shape)
