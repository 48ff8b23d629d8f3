"""Compare what a file computed with what Keras computes, output by output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from exporter.parity.expectation import Expectation, differences, doubtful, expect_all
from exporter.parity.floats import dtype_name, is_inexact, largest, stands_for, widest
from exporter.parity.softmax import log_errors
from exporter.parity.tolerances import WITH_REFERENCE, tolerance_for
from exporter.spec import OutputParity


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
    """Do what `compare` does, with E, S and tolerances measured before.

    What a softmax makes is compared twice: as it is, and as logits.
    """
    return tuple(parity for e in expected for parity in _compare_output(actual, e, case))


def _compare_output(actual: Mapping[str, np.ndarray], expected: Expectation, case: str) -> Iterator[OutputParity]:
    direct = _compare_values(actual, expected, case)
    yield direct
    if expected.log_error is not None and np.isfinite(direct.error):
        yield _compare_logits(np.asarray(actual[expected.output]), expected, expected.log_error, case)


def _compare_values(actual: Mapping[str, np.ndarray], expected: Expectation, case: str) -> OutputParity:
    if expected.output not in actual:
        error, note = np.inf, f"no such output; the file has {', '.join(actual) or 'none'}"
    else:
        value = np.asarray(actual[expected.output])
        error, note = _difference(value, expected)
    return OutputParity(
        output=expected.output,
        case=case,
        error=error,
        tolerance=expected.tolerance,
        scale=expected.scale,
        keras_error=expected.keras_error,
        note=note,
    )


def _compare_logits(value: np.ndarray, expected: Expectation, log_error: float, case: str) -> OutputParity:
    """Compare what a softmax makes by its logarithm; see `softmax`."""
    errors = largest(log_errors(value, expected.reference), ~doubtful(expected.keras, expected.reference))
    bound = tolerance_for(expected.dtype).bound(log_error, 1.0)
    return OutputParity(expected.output, f"{case}, as logits", errors, bound, 1.0, log_error)


def _difference(value: np.ndarray, expected: Expectation) -> tuple[float, str]:
    """Return the error and, where it is infinite, what did not match."""
    if not stands_for(dtype_name(value), expected.dtype):
        return np.inf, f"dtype {dtype_name(value)}, Keras gives {expected.dtype}"
    if value.shape != expected.keras.shape:
        return np.inf, f"shape {value.shape}, Keras gives {expected.keras.shape}"
    if not is_inexact(value):
        return _exact_difference(value, expected)
    mask = _mask_difference(value, expected.keras, expected.reference)
    return (np.inf, mask) if mask else _rounded_difference(value, expected)


def _exact_difference(value: np.ndarray, expected: Expectation) -> tuple[float, str]:
    """Count wrong elements. Where Keras itself changes when its floats are widened (a tie in argmax), both may stand."""
    if expected.dtype == "string":
        value, keras = _as_bytes(value), _as_bytes(expected.keras)
        wrong = value != keras
    else:
        wrong = (value != expected.keras) & (value != expected.reference)
        if expected.sway is not None:
            wrong &= ~_swayed(np.abs(value.astype("float64") - expected.reference), expected, expected.sway)
    count = int(np.count_nonzero(wrong))
    return (float(count), f"{count} of {value.size} elements differ") if count else (0.0, "")


def _mask_difference(value: np.ndarray, keras: np.ndarray, reference: np.ndarray) -> str:
    """Describe where NaN, +Inf and -Inf are not at the same places; empty if they are.

    A NaN may also stand where the reference has one and Keras does not: TensorFlow's float32 kernels for CPUs drop some. Its
    softmax of (NaN, 1, 2) is (NaN, 0, 0), and its ReLU of NaN behind a convolution 0.
    """
    arrays = [widest(a) for a in (value, keras, reference)]
    parts = [[a.real for a in arrays], [a.imag for a in arrays]] if np.iscomplexobj(value) else [arrays]
    for name, test in (("NaN", np.isnan), ("+Inf", np.isposinf), ("-Inf", np.isneginf)):
        for v, k, r in parts:
            differ = test(v) != test(k)
            if (differ & ~(np.isnan(v) & np.isnan(r))).any():
                return f"{name} at {np.count_nonzero(test(v))} places, in Keras at {np.count_nonzero(test(k))}"
    return ""


def _rounded_difference(value: np.ndarray, expected: Expectation) -> tuple[float, str]:
    """Return max |value - reference| over what is finite; Keras stands in where only the reference is not.

    Doubtful elements (see `expectation.doubtful`) may be as far off as Keras itself, as often as the tolerance allows.
    """
    reference = np.where(np.isfinite(expected.reference), expected.reference, widest(expected.keras))
    errors = differences(value, reference)
    if expected.sway is not None and (far := _swayed(errors, expected, expected.sway)).any():
        note = f"{np.count_nonzero(far)} of {far.size} elements go no further than float32 takes them"
        return largest(errors, ~far), note
    doubt = doubtful(expected.keras, expected.reference)
    if not doubt.any():
        return largest(errors, np.isfinite(errors)), ""
    rule = tolerance_for(expected.dtype)
    excused = doubt & (errors <= rule.factor * largest(differences(expected.keras, reference), doubt))
    note = f"{np.count_nonzero(doubt)} of {doubt.size} elements are doubtful in Keras itself"
    return largest(errors, ~excused), note


def _swayed(errors: np.ndarray, expected: Expectation, sway: np.ndarray) -> np.ndarray:
    """Return which errors are no evidence: the element alone goes beyond the tolerance, and about as far as this.

    As far is as many steps of its own as the tolerance allows of the scale's: a runtime may take several ops for one.
    """
    return (sway > expected.tolerance) & (errors <= WITH_REFERENCE["float32"].steps * sway)


def _as_bytes(array: np.ndarray) -> np.ndarray:
    """Return text as UTF-8 bytes: runtimes disagree on str or bytes."""
    encoded = [v.encode() if isinstance(v, str) else bytes(v) for v in array.ravel().tolist()]
    return np.array(encoded, dtype=object).reshape(array.shape)
