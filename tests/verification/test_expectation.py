"""E, S and the bounds of an output, and which elements float32 does not determine."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.verification.compare import compare, compare_expected
from exporter.verification.expectation import GAP, UNDETERMINED, Draw, expect
from exporter.verification.tolerances import DRAWS, tolerance_for

RULE = tolerance_for("float32")


def test_error_and_scale_leave_out_what_is_not_finite():
    keras = np.array([1.0, np.inf, np.nan, 2.0], dtype="float32")
    reference = np.array([1.0 + 1e-7, 1e39, 5.0, np.inf])
    e = expect("y", keras, reference)
    assert e.keras_error == pytest.approx(1e-7, rel=1e-3)
    assert e.scale == pytest.approx(1.0)


def test_empty_outputs_have_no_scale():
    e = expect("y", np.zeros((0, 3), "float32"), np.zeros((0, 3)))
    assert (e.keras_error, e.scale) == (0.0, 0.0)


class TestDraws:
    keras, reference = np.ones((2, 40), "float32"), np.ones((2, 40))

    def drawn(self, error, rows=2, amplitude=1.0):
        return Draw(np.full((rows, 40), 1 + error, "float64"), amplitude)

    def test_the_furthest_draw_makes_the_tolerance_where_keras_was_lucky(self):
        e = expect("y", self.keras, self.reference, [self.drawn(1e-5), self.drawn(3e-5)])
        assert e.keras_error == 0
        assert e.tolerance == pytest.approx(DRAWS.factor * 3e-5)

    def test_the_error_of_keras_and_the_steps_of_the_scale_still_count(self):
        assert expect("y", self.keras, self.reference, [self.drawn(1e-9)]).tolerance == RULE.bound(0, 1)
        assert expect("y", self.keras, self.reference + 1e-4, [self.drawn(1e-4)]).tolerance == pytest.approx(
            4e-4, rel=1e-2
        )

    def test_a_wide_draw_counts_by_its_amplitude(self):
        e = expect("y", self.keras, self.reference, [self.drawn(8e-5, amplitude=4.0)])
        assert e.tolerance == pytest.approx(DRAWS.factor * 2e-5)

    def test_draws_of_the_first_rows_do(self):
        assert expect("y", self.keras, self.reference, [self.drawn(1e-5, rows=1)]).tolerance == pytest.approx(4e-5)

    def test_what_is_usual_elsewhere_stands_in_where_nothing_was_drawn(self):
        e = expect("y", self.keras, self.reference, usual=1e-5)
        assert e.tolerance == pytest.approx(DRAWS.factor * 1e-5)

    def test_a_stated_tolerance_takes_the_place_of_all_that(self):
        e = expect("y", 3 * self.keras, 3 * self.reference, [self.drawn(1e-2)], stated=1e-3)
        assert e.tolerance == pytest.approx(3e-3)

    def test_a_wider_arithmetic_is_not_judged_by_the_narrow_one_of_keras(self):
        keras = np.full(64, 1.0039, "float16")
        drawn = Draw(np.full(64, 1.0, "float32"))
        e = expect("y", keras, np.full(64, 1.0), [drawn], computed_in="float32")
        assert e.keras_error == 0
        assert e.tolerance == pytest.approx(RULE.bound(0, 1) + 2.0**-11)


class TestUndetermined:
    """One of twenty angles wraps: rounding makes it pi or -pi."""

    reference = np.linspace(0.5, 1, 20)
    keras = (reference + 1e-7).astype("float32")
    keras[7] = -reference[7]

    def verdict(self, value, draws=()):
        (parity,) = compare_expected({"y": value}, [expect("y", self.keras, self.reference, draws)], "c")
        return parity

    def test_it_does_not_widen_the_tolerance(self):
        bound = expect("y", self.keras, self.reference).bound
        assert bound.undetermined.tolist() == [n == 7 for n in range(20)]
        assert bound.keras_error < 2e-7

    def test_it_may_be_as_wrong_as_rounding_makes_it_and_is_counted(self):
        parity = self.verdict(self.keras)
        assert parity.ok
        assert (parity.undetermined, parity.beyond, parity.elements) == (1, 0, 20)
        assert "1 of 20 elements undetermined" in parity.note

    def test_it_may_not_be_more_wrong(self):
        worse = self.keras.copy()
        worse[7] = 100.0
        assert not self.verdict(worse).ok

    def test_the_others_are_held_to_the_narrow_tolerance(self):
        wrong = self.keras.copy()
        wrong[3] += 1e-5
        parity = self.verdict(wrong)
        assert not parity.ok
        assert parity.beyond == 1

    @pytest.mark.parametrize("spread", [1e-4, 1e-3, 1e-2, 1e-1])
    def test_badly_conditioned_outputs_are_not_split(self, spread):
        """Errors of one kind form no two groups, however large they are."""
        reference = np.linspace(0.5, 1, 500)
        keras = (reference + spread * np.random.default_rng(0).normal(size=500)).astype("float32")
        undetermined = expect("y", keras, reference).bound.undetermined
        assert undetermined is None or undetermined.all()

    def test_a_chaotic_output_is_undetermined_as_a_whole_and_still_bounded(self):
        random = np.random.default_rng(0)
        reference, draws = random.normal(size=100), [Draw(random.normal(size=100), 1.0) for _ in range(3)]
        e = expect("y", random.normal(size=100).astype("float32"), reference, draws)
        right, wrong = random.normal(size=100), random.normal(size=100) * 1000
        verdicts = [compare_expected({"y": v.astype("float32")}, [e], "c")[0] for v in (right, wrong)]
        assert [v.ok for v in verdicts] == [True, False]
        assert verdicts[0].undetermined == 100

    def test_only_what_goes_far_beyond_the_others_counts(self):
        reference = np.ones(100)
        for error, found in ((GAP / 2, False), (GAP * 2e4, True)):
            drawn = Draw(reference + 1e-7 * np.where(np.arange(100) == 5, error, 1), 1.0)
            undetermined = expect("y", np.ones(100, "float32"), reference, [drawn]).bound.undetermined
            assert (undetermined is not None) == found
            assert error * 1e-7 > UNDETERMINED or not found


class TestKinds:
    """The logarithm of what vanishes is -Inf or a number, by rounding."""

    keras, reference = np.array([-np.inf, 1.0], "float32"), np.array([-87.0, 1.0])

    @pytest.mark.parametrize(
        ("value", "ok"), [(-np.inf, True), (-87.0, True), (-88.0, True), (np.nan, False), (np.inf, False)]
    )
    def test_an_element_may_be_what_keras_the_reference_or_a_draw_has(self, value, ok):
        found = np.array([value, 1.0], "float32")
        (parity,) = compare({"y": found}, {"y": self.reference}, {"y": self.keras}, "c")
        assert parity.ok == ok

    def test_a_draw_may_show_another_kind(self):
        keras, reference = np.array([1.0, 2.0], "float32"), np.array([1.0, 2.0])
        found = {"y": np.array([np.nan, 2.0], "float32")}
        draw = Draw(np.array([np.nan, 2.0], "float32"), 1.0)
        assert not compare_expected(found, [expect("y", keras, reference)], "c")[0].ok
        assert compare_expected(found, [expect("y", keras, reference, [draw])], "c")[0].ok


class TestExact:
    def test_a_choice_that_rounding_decides_may_fall_either_way(self):
        keras, draws = np.array([3, 1]), [Draw(np.array([5, 1]), 1.0)]
        for value, ok in (([5, 1], True), ([3, 1], True), ([3, 2], False)):
            (parity,) = compare_expected({"y": np.array(value)}, [expect("y", keras, keras, draws)], "c")
            assert parity.ok == ok
            assert parity.undetermined == 1

    def test_texts_and_booleans_too(self):
        for keras, other in (
            (np.array(["a", "b"], object), np.array(["c", "b"], object)),
            (np.array([True]), np.array([False])),
        ):
            e = expect("y", keras, keras, [Draw(other, 1.0)])
            assert compare_expected({"y": other}, [e], "c")[0].ok
            assert not compare_expected({"y": other}, [expect("y", keras, keras)], "c")[0].ok
