from __future__ import annotations

import json

import keras
import pytest

from models import _catalog, _trained
from models._goal import Goal, GoalMissedError

NAME = "digits"  # the file whose source counts; what is trained here is a stand-in


class StandIn:
    """A definition whose training takes no time and is counted."""

    GOAL = Goal("accuracy", least=0.5)

    def __init__(self):
        self.trainings = 0
        self.accuracy = 0.9

    def train(self):
        self.trainings += 1
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        self.GOAL.check(NAME, self.score(model))
        return model

    def score(self, _model):
        return self.accuracy


@pytest.fixture
def definition(monkeypatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(_catalog, "find", lambda _name: stand_in)
    return stand_in


def names_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_trains_once(definition, tmp_path):
    assert _trained.out_of_date(NAME, tmp_path) == "not trained yet"
    path = _trained.trained(NAME, folder=tmp_path)
    content = path.read_bytes()
    assert _trained.out_of_date(NAME, tmp_path) == ""
    assert _trained.trained(NAME, folder=tmp_path) == path
    assert definition.trainings == 1
    assert path.read_bytes() == content
    assert names_in(tmp_path) == ["digits.json", "digits.keras"]
    keras.saving.load_model(path)


def test_force_trains_again(definition, tmp_path):
    _trained.trained(NAME, folder=tmp_path)
    _trained.trained(NAME, folder=tmp_path, force=True)
    assert definition.trainings == 2


def test_the_record_says_how_good_and_from_what(definition, tmp_path):
    _trained.trained(NAME, folder=tmp_path)
    record = json.loads((tmp_path / "digits.json").read_text())
    assert record["accuracy"] == 0.9
    assert record["made_from"]["keras"] == keras.__version__
    assert {"models/digits.py", "models/_scans.py", "exporter/layers"} <= record["made_from"].keys()
    assert "models/mobile.py" not in record["made_from"]


@pytest.mark.parametrize("ingredient", ["models/digits.py", "models/_scans.py", "exporter/layers", "keras"])
def test_a_changed_ingredient_is_named_and_trained_anew(ingredient, definition, tmp_path, monkeypatch):
    _trained.trained(NAME, folder=tmp_path)
    now = _trained.ingredients(NAME) | {ingredient: "another"}
    monkeypatch.setattr(_trained, "ingredients", lambda _name: now)
    assert _trained.out_of_date(NAME, tmp_path) == f"changed: {ingredient}"
    _trained.trained(NAME, folder=tmp_path)
    assert definition.trainings == 2
    assert _trained.out_of_date(NAME, tmp_path) == ""


def test_sources_are_told_apart_by_content_and_by_name(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    first = _trained._sha256(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    renamed = _trained._sha256(tmp_path)
    (tmp_path / "b.py").write_text("x = 2\n")
    assert len({first, renamed, _trained._sha256(tmp_path)}) == 3


@pytest.mark.parametrize("damage", [b"", b"PK not the file", None], ids=["emptied", "replaced", "gone"])
def test_a_damaged_file_is_trained_anew(damage, definition, tmp_path):
    path = _trained.trained(NAME, folder=tmp_path)
    path.unlink() if damage is None else path.write_bytes(damage)
    assert _trained.out_of_date(NAME, tmp_path)
    keras.saving.load_model(_trained.trained(NAME, folder=tmp_path))
    assert definition.trainings == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sha256": 1}'])
def test_a_damaged_record_is_trained_anew(text, definition, tmp_path):
    _trained.trained(NAME, folder=tmp_path)
    (tmp_path / "digits.json").write_text(text)
    assert _trained.out_of_date(NAME, tmp_path)
    _trained.trained(NAME, folder=tmp_path)
    assert definition.trainings == 2


def test_a_training_that_misses_its_goal_leaves_the_old_file(definition, tmp_path):
    path = _trained.trained(NAME, folder=tmp_path)
    content, definition.accuracy = path.read_bytes(), 0.4
    with pytest.raises(GoalMissedError):
        _trained.trained(NAME, folder=tmp_path, force=True)
    assert path.read_bytes() == content
    assert _trained.out_of_date(NAME, tmp_path) == ""


def test_an_interrupted_save_leaves_nothing_behind(definition, tmp_path, monkeypatch):
    def interrupted(_self, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Sequential, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _trained.trained(NAME, folder=tmp_path)
    assert names_in(tmp_path) == []
