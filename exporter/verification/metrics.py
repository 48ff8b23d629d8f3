"""Figures that say how alike two results are, beside the largest error."""

from __future__ import annotations

import numpy as np

from exporter.verification.expectation import Expectation
from exporter.verification.floats import is_inexact, widest


def top1_agreement(value: np.ndarray, expected: Expectation) -> float | None:
    """Return the share of rows whose largest entry stands where the reference has it.

    A tie within the tolerance is no disagreement: a row agrees if the reference, at the place of the artifact's largest
    entry, is at most two tolerances below its own largest (either may have moved by one). Rows that hold what float32 does not
    determine are left out.

    Returns:
        None unless the output is float of shape [rows, classes], with a row and two classes at least.
    """
    truth = expected.reference
    if truth.ndim != 2 or truth.shape[1] < 2 or not len(truth) or value.shape != truth.shape or not is_inexact(value):
        return None
    scores = widest(truth)
    chosen = np.take_along_axis(scores, np.argmax(widest(value), axis=1)[:, None], axis=1)[:, 0]
    agree = (chosen >= scores.max(axis=1) - 2 * expected.tolerance) | np.isnan(scores).any(axis=1)
    if expected.bound.undetermined is not None:
        agree |= expected.bound.undetermined.any(axis=1)
    return float(np.mean(agree))
