"""What an output should be in one case: Keras's values, the reference's, and the tolerance that follows from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exporter.parity.tolerances import tolerance_for

DOUBT = 2.0**-10
GAP = 64


@dataclass(frozen=True)
class Expectation:
    """One output in one case.

    Args:
        output: name of the output.
        keras: what Keras computes, in the output's dtype.
        reference: the same in float64 (complex128); `keras` itself where there is no better reference.
        keras_error: E, max |keras - reference| where both are finite and not doubtful.
        scale: S, max |reference| where it is finite.
        tolerance: the largest error that passes.
    """

    output: str
    keras: np.ndarray
    reference: np.ndarray
    keras_error: float
    scale: float
    tolerance: float

    @property
    def dtype(self) -> str:
        """The dtype's name, as in `exporter.spec.TensorInfo`: strings are "string"."""
        return dtype_name(self.keras)


def expect(output: str, keras: np.ndarray, reference: np.ndarray | None, error_nearby: float = 0.0) -> Expectation:
    """Measure Keras against the reference; without one (None) Keras is the reference, at a wider tolerance.

    Args:
        output: its name.
        keras: what Keras computes.
        reference: the same in float64.
        error_nearby: Keras's rounding error on similar inputs, if it is known; the larger one counts.
    """
    rule = tolerance_for(dtype_name(keras), reference="float32" if reference is None else "float64")
    truth = keras if reference is None else reference
    if not is_inexact(keras):
        return Expectation(output, keras, truth, 0.0, 0.0, rule.bound(0.0, 0.0))
    error = max(rounding_error(keras, truth), error_nearby)
    scale = _scale(keras, truth)
    return Expectation(output, keras, truth, error, scale, rule.bound(error, scale))


def expect_all(
    keras: Mapping[str, np.ndarray],
    reference: Mapping[str, np.ndarray] | None,
    errors_nearby: Mapping[str, float] | None = None,
) -> tuple[Expectation, ...]:
    """Return an expectation per output, in Keras's order."""
    nearby = errors_nearby or {}
    return tuple(
        expect(name, value, None if reference is None else reference[name], nearby.get(name, 0.0))
        for name, value in keras.items()
    )


def rounding_error(keras: np.ndarray, reference: np.ndarray) -> float:
    """Return E, max |keras - reference| where both are finite and not `doubtful`; 0 for what is not rounded."""
    if not is_inexact(keras):
        return 0.0
    return largest(differences(keras, reference), ~doubtful(keras, reference))


def doubtful(keras: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return where Keras's float32 is not the reference's number at all, while everywhere else it nearly is.

    So it is with scores that vanish beside a mask of -1e9, and with angles of what is nearly 0. One such element must
    not widen the tolerance of all others. It counts as one if it is off by more than `DOUBT` of the scale, and all
    elements that are not are at least `GAP` times better: rounding errors of one kind leave no such gap.
    """
    errors, scale = differences(keras, reference), _scale(keras, reference)
    found = errors > DOUBT * scale
    return found if largest(errors, ~found) * GAP <= DOUBT * scale and not found.all() else np.zeros_like(found)


def differences(value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return |value - reference|, 0 where one of them is not finite."""
    finite = np.isfinite(widest(value)) & np.isfinite(widest(reference))
    return np.abs(np.where(finite, widest(value), 0) - np.where(finite, widest(reference), 0))


def _scale(keras: np.ndarray, reference: np.ndarray) -> float:
    """Return S, max |reference| where both are finite."""
    return largest(np.abs(widest(reference)), np.isfinite(widest(keras)) & np.isfinite(widest(reference)))


def is_inexact(array: np.ndarray) -> bool:
    """Whether values are rounded: floats (also bfloat16, which NumPy does not know) and complex numbers."""
    return np.issubdtype(array.dtype, np.inexact) or "float" in array.dtype.name


def widest(array: np.ndarray) -> np.ndarray:
    """Return floats as float64 and complex numbers as complex128."""
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64, copy=False)


def largest(values: np.ndarray, where: np.ndarray) -> float:
    """Return the largest of `values` at `where`; 0 if there is none."""
    return float(np.max(values, where=where, initial=0.0))


def dtype_name(array: np.ndarray) -> str:
    """Return TensorFlow's name of a dtype: byte and text arrays are "string"."""
    return "string" if array.dtype.kind in "OSU" else array.dtype.name
