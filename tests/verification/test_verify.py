"""The verdict: faithful files pass, unfaithful ones do not, and what was not compared is said."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError
from exporter.verification.reference import Reference
from exporter.verification.samples import Sample, make_samples, user_samples
from exporter.verification.tolerances import tolerance_for
from exporter.verification.verify import verify_artifact
from tests.verification.models import KerasRunner, dense, embedding, noise

EPS = float(np.finfo(np.float32).eps)


def verified(model, runner, batch="dynamic", real=None):
    inference = Inference(model)
    own = None if real is None else user_samples(real, inference)
    return verify_artifact(runner, Reference(inference), make_samples(inference, batch), own)


@pytest.fixture(scope="module")
def model():
    return dense()


def test_keras_itself_passes(model):
    parity = verified(model, KerasRunner(model))
    assert parity
    assert parity.reference == "float64"
    assert parity.rows == sum(len(s.arrays["x"]) for s in make_samples(Inference(model)))
    assert parity.top1 is None
    assert {o.case for o in parity.outputs} == {s.name for s in make_samples(Inference(model))}
    assert parity.notes == ()


def test_rounding_passes_and_more_does_not(model):
    assert verified(model, KerasRunner(model, change=noise(4 * EPS)))
    parity = verified(model, KerasRunner(model, change=noise(200 * EPS)))
    assert not parity
    assert parity.worst.error > parity.worst.tolerance


@pytest.mark.parametrize("batch", [1, 4])
def test_files_of_a_fixed_batch_are_fed_in_portions(model, batch):
    runner = KerasRunner(model, batch)
    parity = verified(model, runner)
    assert parity
    assert set(runner.batches) == {batch}
    assert any("batch 0" in note for note in parity.notes)


def test_outputs_without_rows_are_not_cut():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, {"rows": layers.ReLU()(x), "mean": ops.mean(x, axis=0)})
    parity = verified(model, KerasRunner(model, 2))
    assert parity.ok
    assert {o.case.split(", ")[1] for o in parity.outputs} == {"batch 2"}
    assert any("not every output has one entry per row" in note for note in parity.notes)


def test_a_wrong_output_among_several_is_named():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, {"good": layers.Dense(2)(x), "bad": layers.Dense(2)(x)})

    def change(outputs):
        return {**outputs, "bad": outputs["bad"] * np.float32(1.001)}

    parity = verified(model, KerasRunner(model, change=change))
    assert not parity
    assert parity.worst.output == "bad"
    assert all(o.ok for o in parity.outputs if o.output == "good")


def test_swapped_outputs_fail():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, {"a": layers.Dense(2)(x), "b": layers.Dense(2)(x)})
    assert not verified(model, KerasRunner(model, change=lambda o: {"a": o["b"], "b": o["a"]}))


def test_a_nan_that_keras_does_not_have_fails(model):
    def change(outputs):
        return {
            name: np.where(np.arange(a.size).reshape(a.shape) == 1, np.float32(np.nan), a)
            for name, a in outputs.items()
        }

    parity = verified(model, KerasRunner(model, change=change))
    assert not parity
    assert "NaN" in parity.worst.note


class Failing(KerasRunner):
    """A runtime that refuses some batches."""

    def __init__(self, model, refuses):
        super().__init__(model)
        self._refuses = refuses

    def run(self, inputs):
        if self._refuses(len(inputs["x"])):
            raise InvalidArtifactError("cannot run", reason="no such kernel")
        return super().run(inputs)


def test_a_file_that_does_not_run_has_not_passed(model):
    parity = verified(model, Failing(model, lambda rows: rows == 7))
    assert not parity
    assert parity.worst.note == "no such kernel"
    assert "batch 7" in parity.worst.case


def test_an_empty_batch_that_does_not_run_is_a_note(model):
    parity = verified(model, Failing(model, lambda rows: rows == 0))
    assert parity
    assert any("empty batch: no such kernel" in note for note in parity.notes)


def test_a_file_that_nothing_fits_has_not_passed(model):
    runner = KerasRunner(model, 2)
    runner.inputs = tuple(replace(i, shape=(2, 9)) for i in runner.inputs)
    parity = verified(model, runner)
    assert not parity
    assert parity.outputs == ()
    assert "the file takes x: float32[2, 9]" in parity.notes[0]


def test_the_same_input_must_give_the_same_bytes(model):
    calls = []

    def drift(outputs):
        calls.append(1)
        return {name: a + np.float32(1e-9 * len(calls)) for name, a in outputs.items()}

    parity = verified(model, KerasRunner(model, change=drift))
    assert not parity
    assert parity.worst.case == "normal, batch 3, again"
    assert "second run" in parity.worst.note


def test_another_sign_of_zero_is_another_result():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Identity(name="y")(x * 0.0))
    calls = []

    def flip(outputs):
        calls.append(1)
        return {name: np.copysign(np.zeros_like(a), (-1) ** len(calls)) for name, a in outputs.items()}

    sample = Sample("mine", {"x": np.ones((2, 4), "float32")})
    parity = verify_artifact(KerasRunner(model, change=flip), Reference(Inference(model)), (sample,))
    assert parity.worst.case == "mine, again"


def test_nan_is_the_same_at_the_second_run():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, ops.sqrt(x))
    assert verified(model, KerasRunner(model))


def test_stateful_files_are_run_in_sequence_and_not_twice():
    x = keras.Input((2, 3), batch_size=1, name="x")
    build = lambda: keras.Model(x, layers.LSTM(4, stateful=True)(x))  # noqa: E731
    keras.utils.set_random_seed(0)
    model = build()
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    assert verified(model, KerasRunner(copy))
    assert not verified(model, KerasRunner(copy))  # its state has moved on


def test_strings_and_integers_are_compared():
    words = keras.Input((2,), dtype="string", name="words")
    model = keras.Model(words, layers.StringLookup(vocabulary=["a", "b"])(words))
    assert verified(model, KerasRunner(model))
    assert not verified(model, KerasRunner(model, change=lambda o: {name: a + 1 for name, a in o.items()}))


def test_integer_inputs():
    model = embedding()
    assert verified(model, KerasRunner(model))


def classifier():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4,), name="x"), layers.Dense(3, activation="softmax", name="y")])


class TestRealData:
    data = np.random.default_rng(3).normal(size=(40, 4)).astype("float32")

    def test_it_is_compared_and_its_best_class_too(self):
        model = classifier()
        parity = verified(model, KerasRunner(model), real=self.data)
        assert parity
        assert parity.top1 == 1.0
        assert "data" in {o.case for o in parity.outputs}

    def test_another_best_class_is_counted(self):
        model = classifier()

        def swap_in_the_first_of_forty(outputs):
            y = outputs["y"].copy()
            if len(y) == 40:
                y[0] = y[0, ::-1] if y[0].argmax() != 1 else y[0, [1, 0, 2]]
            return {"y": y}

        parity = verified(model, KerasRunner(model, change=swap_in_the_first_of_forty), real=self.data)
        assert parity.top1 == pytest.approx(39 / 40)
        assert not parity

    def test_several_portions(self):
        model = classifier()
        runner = KerasRunner(model, 16)
        assert verified(model, runner, real=self.data).top1 == 1.0

    def test_regression_has_no_best_class(self):
        model = dense(units=1)
        assert verified(model, KerasRunner(model), real=self.data).top1 is None


def test_the_tolerance_is_the_table_s(model):
    parity = verified(model, KerasRunner(model))
    for o in parity.outputs:
        assert o.tolerance == tolerance_for("float32").bound(o.keras_error, o.scale)


def test_samples_may_be_a_plain_tuple(model):
    sample = Sample("mine", {"x": np.ones((2, 4), "float32")})
    assert verify_artifact(KerasRunner(model), Reference(Inference(model)), (sample,)).rows == 2
