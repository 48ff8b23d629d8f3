"""Top-1 agreement with its rule for ties, and the signal-to-quantization-noise ratio."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.verification.expectation import Bound, Expectation
from exporter.verification.metrics import top1_agreement


def scores(reference, tolerance=0.01):
    reference = np.asarray(reference, dtype="float64")
    return Expectation("y", reference.astype("float32"), reference, Bound(0.0, 1.0, tolerance))


def agreement(value, reference, tolerance=0.01):
    return top1_agreement(np.asarray(value, dtype="float32"), scores(reference, tolerance))


def test_rows_that_choose_another_class_are_counted():
    assert agreement([[0.1, 0.9], [0.8, 0.2]], [[0.2, 0.8], [0.3, 0.7]]) == 0.5


def test_a_tie_within_two_tolerances_agrees():
    assert agreement([[0.500, 0.501]], [[0.501, 0.500]]) == 1.0
    assert agreement([[0.49, 0.51]], [[0.51, 0.48]]) == 0.0


@pytest.mark.parametrize("reference", [np.zeros((3, 1)), np.zeros(3), np.zeros((0, 4)), np.zeros((2, 3, 4))])
def test_what_is_no_table_of_classes_has_no_top1(reference):
    assert agreement(reference, reference) is None


def test_integers_have_no_top1():
    table = np.array([[1, 2]])
    assert top1_agreement(table, Expectation("y", table, table, Bound(0.0, 0.0, 0.0))) is None
