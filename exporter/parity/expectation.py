"""What an output should be in one case: Keras's values, the reference's, and the tolerance that follows from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exporter.parity.floats import dtype_name, is_inexact, largest, widest
from exporter.parity.softmax import log_errors
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
        log_error: Keras's own error as `softmax.log_errors` measures it; None unless a softmax makes the output.
        sway: how far each element goes when every op is rounded (`sway`); None where nobody has asked.
    """

    output: str
    keras: np.ndarray
    reference: np.ndarray
    keras_error: float
    scale: float
    tolerance: float
    log_error: float | None = None
    sway: np.ndarray | None = None

    @property
    def dtype(self) -> str:
        """The dtype's name, as in `exporter.spec.TensorInfo`: strings are "string"."""
        return dtype_name(self.keras)


def expect(
    output: str,
    keras: np.ndarray,
    reference: np.ndarray | None,
    nearby: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    softmax: bool = False,
) -> Expectation:
    """Measure Keras against the reference; without one (None) Keras is the reference, at a wider tolerance.

    Args:
        output: its name.
        keras: what Keras computes.
        reference: the same in float64.
        nearby: both on similar inputs, if known: Keras's error there counts too.
        softmax: whether a softmax makes the output.
    """
    rule = tolerance_for(dtype_name(keras), reference="float32" if reference is None else "float64")
    if not is_inexact(keras):
        return Expectation(output, keras, keras if reference is None else reference, 0.0, 0.0, rule.bound(0.0, 0.0))
    truth = keras if reference is None else reference
    pairs = [(keras, truth), *([] if nearby is None else [nearby])]
    error, scale = max(rounding_error(*pair) for pair in pairs), _scale(keras, truth)
    log_error = max(log_rounding_error(*pair) for pair in pairs) if softmax and reference is not None else None
    return Expectation(output, keras, truth, error, scale, rule.bound(error, scale), log_error)


def expect_all(
    keras: Mapping[str, np.ndarray],
    reference: Mapping[str, np.ndarray] | None,
    nearby: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]] | None = None,
    softmax: frozenset[str] = frozenset(),
) -> tuple[Expectation, ...]:
    """Return an expectation per output, in Keras's order; arguments as for `expect`, by output name."""
    return tuple(
        expect(
            name,
            value,
            None if reference is None else reference[name],
            None if nearby is None else (nearby[0][name], nearby[1][name]),
            softmax=name in softmax,
        )
        for name, value in keras.items()
    )


def rounding_error(keras: np.ndarray, reference: np.ndarray) -> float:
    """Return E, max |keras - reference| where both are finite and not `doubtful`; 0 for what is not rounded."""
    if not is_inexact(keras):
        return 0.0
    return largest(differences(keras, reference), ~doubtful(keras, reference))


def log_rounding_error(keras: np.ndarray, reference: np.ndarray) -> float:
    """Return the same for the logarithm of what a softmax makes."""
    return largest(log_errors(keras, reference), ~doubtful(keras, reference))


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
