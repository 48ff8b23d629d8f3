"""What every model must be: found by looking into models/, so that a new file is tested without an edit here."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.errors import UsageError
from models import _catalog, diabetes, digit_rows, digits, mobile
from models._goal import Goal, GoalMissedError


def arrays(data) -> dict[str, np.ndarray]:
    return data if isinstance(data, dict) else {"": data}


def weights(model) -> list[bytes]:
    return [v.path.encode() + v.numpy().tobytes() for v in model.weights]


def test_every_file_is_a_model():
    assert _catalog.names() == ["diabetes", "digit_rows", "digits", "mobile"]
    for name in _catalog.names():
        definition = _catalog.find(name)
        assert isinstance(definition.GOAL, Goal)
        assert all(callable(getattr(definition, part)) for part in ("build", "train", "test_data", "score"))


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="models/ has: diabetes, digit_rows") as caught:
        _catalog.find("digit")
    assert caught.value.exit_code == 2


def test_the_trained_file_reaches_the_goal(name, trained_model):
    definition = _catalog.find(name)
    definition.GOAL.check(name, definition.score(trained_model(name)))


def test_the_model_takes_its_test_data_and_answers_finitely(name, trained_model):
    inputs, targets = _catalog.find(name).test_data()
    model = trained_model(name)
    rows = {len(array) for data in (inputs, targets) for array in arrays(data).values()}
    assert len(rows) == 1
    if isinstance(inputs, dict):
        assert {key: (array.shape[1:], array.dtype.name) for key, array in inputs.items()} == {
            key: (tensor.shape[1:], tensor.dtype) for key, tensor in model.input.items()
        }
    else:
        assert (inputs.shape[1:], inputs.dtype.name) == (model.input.shape[1:], model.input.dtype)
    outputs = arrays(model.predict(inputs, verbose=0))
    assert all(len(output) in rows and np.isfinite(output).all() for output in outputs.values())


def test_the_file_holds_what_build_builds(name, trained_model):
    """Otherwise the source was edited and the file is of another model."""
    built, saved = _catalog.find(name).build(), trained_model(name)
    assert built.name == saved.name == name
    assert [(v.name, v.shape) for v in built.weights] == [(v.name, v.shape) for v in saved.weights]


@pytest.mark.parametrize(
    "definition",
    [*(pytest.param(d, marks=pytest.mark.long) for d in (digits, digit_rows)), diabetes],
    ids=lambda d: d.__name__.removeprefix("models."),
)
def test_the_same_seed_gives_the_same_weights(definition, monkeypatch):
    monkeypatch.setattr(definition, "GOAL", Goal("nothing", least=-np.inf))
    assert weights(definition.train(epochs=1)) == weights(definition.train(epochs=1))


def test_another_seed_gives_other_weights(monkeypatch):
    monkeypatch.setattr(diabetes, "GOAL", Goal("nothing", least=-np.inf))
    assert weights(diabetes.train(epochs=1)) != weights(diabetes.train(epochs=1, seed=diabetes.SEED + 1))


def test_mobile_is_the_same_whenever_it_is_built(trained_model):
    assert weights(mobile.build()) == weights(trained_model("mobile"))


@pytest.mark.parametrize("definition", [digits, digit_rows, diabetes], ids=lambda d: d.__name__.removeprefix("models."))
def test_a_training_that_misses_the_goal_fails_loudly(definition, monkeypatch):
    import keras

    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: None)  # the weights stay random
    with pytest.raises(GoalMissedError, match=f"{definition.GOAL.metric} is .*, at least {definition.GOAL.least}"):
        definition.train()


@pytest.mark.parametrize("value", [0.969, float("nan")])
def test_a_goal_is_missed_below_its_least_value_and_by_nan(value):
    with pytest.raises(GoalMissedError) as caught:
        Goal("accuracy", least=0.97).check("digits", value)
    assert caught.value.exit_code == 1
    assert "models/digits.py" in str(caught.value)


def test_a_goal_is_reached_by_its_least_value():
    Goal("accuracy", least=0.97).check("digits", 0.97)


def test_the_digits_are_read_from_pixels_as_files_hold_them():
    images, targets = digits.test_data()
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 255)
    assert sorted(set(targets)) == list(range(10))


def test_no_test_scan_is_trained_on():
    from models._scans import scans

    train, test = ({image.tobytes() for image in scans(part).images} for part in ("train", "test"))
    assert len(scans("test").images) == 450
    assert not train & test


def test_no_test_patient_is_trained_on():
    def rows(part):
        inputs, _ = diabetes._patients(part)
        return {np.concatenate(row).tobytes() for row in zip(inputs["body"], inputs["blood"], strict=True)}

    assert len(rows("train") | rows("test")) == 442
    assert not rows("train") & rows("test")


def test_strips_have_blank_rows_at_both_ends_and_they_change_nothing(trained_model):
    strips, _ = digit_rows.test_data()
    blank = strips.max(axis=2) == 0
    assert (blank.sum(axis=1) == 4).all()
    assert {int(np.argmin(row)) for row in blank} == {0, 1, 2, 3, 4}
    model = trained_model("digit_rows")
    lowered = np.stack([np.roll(strip, -int(np.argmin(row)), axis=0) for strip, row in zip(strips, blank, strict=True)])
    # Masked steps are skipped, not multiplied by zero: the place of the scan in the strip is nothing to the model.
    np.testing.assert_array_equal(model.predict(lowered, verbose=0), model.predict(strips, verbose=0))


def test_mobile_gives_answers_that_rounding_cannot_turn(trained_model):
    """Random weights, so nothing but this sees to it that top-1 agreement means something."""
    images, subjects = mobile.test_data()
    scores = np.sort(np.log(trained_model("mobile").predict(images, verbose=0)), axis=-1)
    assert set(subjects) == {0, 1, 2}
    assert (scores[:, -1] - scores[:, -2]).min() > 1e-4  # float32 rounds logits of this size by some 1e-6


def test_mobile_tells_every_two_images_apart(trained_model):
    images, _ = mobile.test_data()
    answers = np.log(trained_model("mobile").predict(images, verbose=0))
    correlation = np.corrcoef(answers)[np.triu_indices(len(answers), k=1)]
    assert correlation.max() < 0.99


def test_mobile_runs_in_the_sound_range_of_floats(trained_model):
    """No activation vanishes or explodes: what is compared is arithmetic, not zeros and infinities."""
    import keras

    model = trained_model("mobile")
    images, _ = mobile.test_data()
    after = [layer.output for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    deviations = np.array([np.std(output) for output in keras.Model(model.input, after).predict(images, verbose=0)])
    assert deviations.min() > 0.01
    assert deviations.max() < 100
