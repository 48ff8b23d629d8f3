"""What a softmax makes is compared as logits too."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from exporter.capture.inference import Inference
from exporter.verification.compare import compare_expected
from exporter.verification.expectation import Draw, expect
from exporter.verification.reference import Reference
from exporter.verification.samples import Sample
from exporter.verification.softmax import SMALLEST, log_errors, softmax_outputs

REFERENCE = np.array([[0.9999, 9e-5, 1e-5], [0.5, 0.5 - 1e-20, 1e-20]])


def compared(value):
    keras = REFERENCE.astype("float32")
    expected = expect("y", keras, REFERENCE, softmax=True)
    return compare_expected({"y": np.asarray(value, dtype="float32")}, [expected], "c")


def test_keras_itself_passes_both_ways():
    direct, logits = compared(REFERENCE)
    assert direct.ok
    assert logits.ok
    assert (direct.case, logits.case) == ("c", "c, as logits")


def test_an_error_beside_a_large_probability_is_seen():
    wrong = REFERENCE.copy()
    wrong[0, 2] *= 1.001
    direct, logits = compared(wrong)
    assert direct.ok
    assert not logits.ok


def test_a_lost_tail_is_seen():
    wrong = REFERENCE.copy()
    wrong[1, 2] = 0
    direct, logits = compared(wrong)
    assert direct.ok
    assert not logits.ok
    assert logits.error > 1


def test_a_tail_that_draws_lose_too_is_undetermined():
    """Scores so large that a rounding of them takes a probability below float32, or leaves it."""
    reference = np.array([[1.0, 2.0**-99]] + [[0.9999, 1e-4]] * 5)
    keras, lost = reference.astype("float32"), reference.astype("float32")
    lost[0, 1] = 0
    expected = expect("y", keras, reference, [Draw(lost, 1.0)], softmax=True)
    assert all(parity.ok for parity in compare_expected({"y": lost}, [expected], "c"))
    assert not all(parity.ok for parity in compare_expected({"y": -lost}, [expected], "c"))


def test_what_nears_the_end_of_float32_is_left_out():
    reference = np.array([[1.0, SMALLEST / 2]])
    assert not log_errors(np.array([[1.0, 0.0]]), reference).any()


def test_shapes_are_checked_before():
    (direct,) = compared(REFERENCE[:1])
    assert "shape" in direct.note


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        (layers.Dense(3, activation="softmax"), True),
        (layers.Softmax(axis=-1), True),
        (layers.Dense(3, activation="sigmoid"), False),
        (layers.Dense(3), False),
    ],
)
def test_the_graph_tells_what_a_softmax_makes(layer, found):
    x = keras.Input((4,))
    assert bool(softmax_outputs(Inference(keras.Model(x, layer(x))))) is found


def test_softmax_over_another_axis_counts():
    x = keras.Input((4, 5))
    assert softmax_outputs(Inference(keras.Model(x, layers.Softmax(axis=1)(x))))


def test_the_reference_measures_keras_own_error_of_the_logits():
    model = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(30, activation="softmax", name="y")])
    sample = Sample("s", {"x": (10 * np.random.default_rng(0).normal(size=(20, 4))).astype("float32")})
    (e,) = Reference(Inference(model)).expect(sample)
    assert 0 < e.log_bound.keras_error < 1e-6
    assert e.log_bound.keras_error >= log_errors(e.keras, e.reference).max()
