"""The proof that a model reloads: sound models pass, and each way of coming back as something else is told."""

from __future__ import annotations

import sys
import textwrap

import keras
import numpy as np
import pytest
from keras import layers

import exporter
from exporter.capture.source import open_source
from exporter.checks import COSTLY, RULES, find_problems
from exporter.checks.reload import _different_facts
from exporter.spec import Options

X = np.random.default_rng(1).standard_normal((4, 3)).astype("float32")
MODULE = """
import keras

@keras.saving.register_keras_serializable(package="own")
class Sound(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

@keras.saving.register_keras_serializable(package="own")
class Forgetful(Sound):
    def get_config(self):
        return keras.layers.Layer.get_config(self)

@keras.saving.register_keras_serializable(package="own")
class Drifting(Sound):
    def get_config(self):
        return {**super().get_config(), "factor": self.factor * 2}

@keras.saving.register_keras_serializable(package="own", name="twin")
class Twin(Sound):
    def call(self, x):
        return x + 1.0

@keras.saving.register_keras_serializable(package="own", name="twin")
class OtherTwin(Sound):
    def call(self, x):
        return x + 2.0

@keras.saving.register_keras_serializable(package="own")
def distance(true, predicted):
    return keras.ops.mean(keras.ops.abs(true - predicted), axis=-1)

@keras.saving.register_keras_serializable(package="own")
class Steps(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1

    def get_config(self):
        return {}

def bent(x):
    return x * keras.ops.sigmoid(2.0 * x)

class Hurried(keras.optimizers.SGD):
    def __init__(self, hurry=1.0, **kwargs):
        super().__init__(**kwargs)
        self.hurry = hurry
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's own, importable by this process and by others."""
    (tmp_path / "own_layers_of_test.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(tmp_path)
    import own_layers_of_test

    yield own_layers_of_test
    sys.modules.pop("own_layers_of_test")


def problems(model, *names):
    source = open_source(model, None, trust=False)
    return [problem for name in names for problem in COSTLY[name](source, Options())]


def model_of(layer, optimizer="adam", loss="mse"):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), layer, layers.Dense(2)])
    model.compile(optimizer, loss, jit_compile=False)
    model.fit(X, X[:, :2], verbose=0)
    return model


def test_a_sound_compiled_model_passes(own) -> None:
    find_problems(open_source(model_of(own.Sound(3.0)), None, trust=False), Options())  # registers the rules
    assert problems(model_of(own.Sound(3.0)), "reload", "round trip") == []


def test_a_forgotten_argument_changes_the_outputs(own) -> None:
    find_problems(open_source(model_of(own.Sound()), None, trust=False), Options())
    found = problems(model_of(own.Forgetful(3.0)), "reload")
    assert [p.severity for p in found] == ["warning"]
    assert "outputs are not the same, bit for bit" in found[0].reason


def test_a_config_that_drifts_is_named_with_the_line_to_write(own) -> None:
    find_problems(open_source(model_of(own.Sound()), None, trust=False), Options())
    (found,) = problems(model_of(own.Drifting(3.0)), "round trip")
    assert "Drifting" in found.where
    assert 'return "factor": self.factor' in found.remedy


def test_a_loss_and_a_schedule_of_ones_own_reload_once_registered(own) -> None:
    model = model_of(layers.ReLU(), keras.optimizers.SGD(own.Steps()), own.distance)
    assert find_problems(open_source(model, None, trust=False), Options(), costly=True) == ()


def test_activations_optimizers_and_lambdas_are_told_all_at_once(own) -> None:
    model = model_of(layers.Dense(2, activation=own.bent, name="bend"), own.Hurried(2.0), lambda y, p: abs(y - p))
    found = find_problems(open_source(model, None, trust=False), Options())
    told = {p.where.rpartition(".")[2]: p for p in found if "get_config" not in p.reason}
    assert 'package="own_layers_of_test") above def bent' in told["bent"].remedy
    assert "above class Hurried" in told["Hurried"].remedy
    assert "bytecode" in told[")"].reason  # compile(loss=...)
    (forgotten,) = [p for p in found if "get_config" in p.reason]
    assert "forgets 'hurry'" in forgotten.reason
    assert len(found) == 4


def test_unregistered_functions_and_optimizers_reload_from_their_modules(own) -> None:
    model = model_of(layers.Dense(2, activation=own.bent), own.Hurried())
    find_problems(open_source(model, None, trust=False), Options())
    assert problems(model, "reload") == []


def test_two_classes_with_one_name(own) -> None:
    (taken,) = find_problems(open_source(model_of(own.Twin()), None, trust=False), Options())
    assert "OtherTwin is registered as 'own>twin' too" in taken.reason
    assert 'name="Twin"' in taken.remedy
    found = problems(model_of(own.Twin()), "reload")
    assert "config.layers[1].class_name changes: Twin before, OtherTwin after" in found[0].reason
    assert "outputs are not the same" in found[1].reason


def test_a_class_that_nobody_can_import() -> None:
    class Local(layers.Layer):
        def call(self, x):
            return x

    find_problems(open_source(model_of(Local()), None, trust=False), Options())
    (found,) = problems(model_of(Local()), "reload")
    assert "inside a function" in found.reason
    assert "move class Local" in found.remedy


@pytest.mark.long
def test_a_lambda_does_not_reload_without_trust() -> None:
    model = model_of(layers.Lambda(lambda x: x * 2))
    find_problems(open_source(model, None, trust=False), Options())
    (found,) = problems(model, "reload")
    assert "bytecode" in found.reason


def test_facts_that_change() -> None:
    before = {"loss": "own_loss", "config": {"layers": [1]}}
    (found,) = _different_facts(before, {**before, "loss": None})
    assert "loss changes: own_loss before, None after" in found.reason
    assert list(_different_facts(before, before)) == []


def test_exports_do_not_pay_for_it(monkeypatch) -> None:
    assert COSTLY.keys() & RULES.keys() == set()
    called = []
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    find_problems(open_source(model, None, trust=False), Options())
    monkeypatch.setitem(COSTLY._entries, "reload", lambda source, options: called.append(source) or ())
    find_problems(open_source(model, None, trust=False), Options())
    assert called == []
    exporter.check(model, formats=("saved_model",))
    assert len(called) == 1
