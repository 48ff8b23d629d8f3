"""E, S and the tolerance of an output, and which elements Keras itself gets wrong."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.parity.compare import compare
from exporter.parity.expectation import doubtful, expect, rounding_error


def test_error_and_scale_leave_out_what_is_not_finite():
    keras = np.array([1.0, np.inf, np.nan, 2.0], dtype="float32")
    reference = np.array([1.0 + 1e-7, 1e39, 5.0, np.inf])
    e = expect("y", keras, reference)
    assert e.keras_error == pytest.approx(1e-7, rel=1e-3)
    assert e.scale == pytest.approx(1.0)


def test_an_error_known_from_nearby_inputs_counts_if_it_is_larger():
    keras, reference = np.ones(3, "float32"), np.ones(3)
    nearby = (np.ones(9, "float32"), np.full(9, 1.5))
    assert expect("y", keras, reference, nearby).tolerance == 2.0
    assert expect("y", keras, reference + 1, nearby).tolerance == 4.0


def test_empty_outputs_have_no_scale():
    e = expect("y", np.zeros((0, 3), "float32"), np.zeros((0, 3)))
    assert (e.keras_error, e.scale) == (0.0, 0.0)


class TestDoubtful:
    """One row of attention is masked out: float32 gives it other weights than float64, all other rows agree."""

    reference = np.linspace(0.5, 1, 20)
    keras = (reference + 1e-7).astype("float32")
    keras[7] = 0.1

    def test_it_is_found_and_does_not_widen_the_tolerance(self):
        assert doubtful(self.keras, self.reference).tolist() == [n == 7 for n in range(20)]
        assert rounding_error(self.keras, self.reference) < 2e-7

    def test_it_may_be_as_wrong_as_keras(self):
        (right,) = compare({"y": self.keras}, {"y": self.reference}, {"y": self.keras}, "c")
        assert right.ok
        assert "1 of 20" in right.note

    def test_it_may_not_be_more_wrong(self):
        worse = self.keras.copy()
        worse[7] = 5.0
        assert not compare({"y": worse}, {"y": self.reference}, {"y": self.keras}, "c")[0].ok

    def test_the_others_are_held_to_the_narrow_tolerance(self):
        wrong = self.keras.copy()
        wrong[3] += 1e-5
        assert not compare({"y": wrong}, {"y": self.reference}, {"y": self.keras}, "c")[0].ok

    @pytest.mark.parametrize("spread", [1e-4, 1e-3, 1e-2, 1e-1])
    def test_badly_conditioned_outputs_are_not_split(self, spread):
        """Errors of one kind form no two groups, however large they are."""
        reference = np.linspace(0.5, 1, 500)
        keras = (reference + spread * np.random.default_rng(0).normal(size=500)).astype("float32")
        assert not doubtful(keras, reference).any()

    def test_all_wrong_is_not_doubtful(self):
        assert not doubtful(np.zeros(4, "float32"), np.ones(4)).any()
