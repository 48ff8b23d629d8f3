"""What is written is what is read: configs, .keras files in a fresh process, weights, clones, copies."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from tests.conformance.public.cases import LOSSES, layer_cases
from tests.conformance.public.kinds import Case
from tests.conformance.public.models import model_of, models, reload_in_fresh_process

LAYER_CASES = [pytest.param(cls, case, id=name) for name, cls, case in layer_cases()]
LOSS_CLASSES = [loss for loss in LOSSES if isinstance(loss, type)]


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_config_is_the_same_before_and_after_build(cls: type, case: Case) -> None:
    layer = cls(**case.arguments, name="some_name", trainable=False)
    before = json.dumps(layer.get_config())
    layer.build(case.sample().shape)
    layer(case.sample())
    assert json.dumps(layer.get_config()) == before


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_from_config_gives_the_same_layer(cls: type, case: Case) -> None:
    layer = cls(**case.arguments, name="some_name", dtype="mixed_float16")
    again = cls.from_config(json.loads(json.dumps(layer.get_config())))  # type: ignore[attr-defined]
    assert again.get_config() == layer.get_config()
    for name, value in case.arguments.items():
        assert layer.get_config()[name] == value
    serialized = keras.saving.serialize_keras_object(layer)
    assert serialized["registered_name"] == f"exporter>{cls.__name__}"
    assert type(keras.saving.deserialize_keras_object(serialized)) is cls


def test_keras_files_reload_bit_equal_in_a_fresh_process_that_imports_exporter_layers(tmp_path: Path) -> None:
    expected = {}
    for name, model, x in models():
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", x)
        expected[name] = _outputs(model, x)
    reloaded = reload_in_fresh_process("exporter.layers", tmp_path)
    assert reloaded.keys() == expected.keys()
    for name, outputs in expected.items():
        _assert_bit_equal(reloaded[name], outputs, name)


def test_compiled_models_go_on_training_in_a_fresh_process_that_imports_exporter_losses(tmp_path: Path) -> None:
    """Loss, its arguments, the optimizer's state: the next step gives the very weights it gives without the reload."""
    x = np.random.default_rng(6).standard_normal((16, 3)).astype("float32")
    expected = {}
    for name, loss in _losses():
        keras.utils.set_random_seed(7)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(optimizer=keras.optimizers.Adam(0.1), loss=loss, jit_compile=False)
        for _ in range(2):
            model.train_on_batch(x, np.ones((16, 1)))
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", x)
        outputs = [*_outputs(model, x), *(variable.numpy() for variable in model.optimizer.variables)]
        outputs.append(np.asarray(model.train_on_batch(x, np.ones((16, 1)))))
        expected[name] = [*outputs, *model.get_weights()]
    reloaded = reload_in_fresh_process("exporter.losses", tmp_path)
    assert reloaded.keys() == expected.keys()
    for name, outputs in expected.items():
        _assert_bit_equal(reloaded[name], outputs, name)


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_weights_file_round_trip(cls: type, case: Case, tmp_path: Path) -> None:
    model = model_of(cls, case)
    model.save_weights(tmp_path / "model.weights.h5")
    other = keras.models.clone_model(model)
    other.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    other.load_weights(tmp_path / "model.weights.h5")
    _assert_bit_equal(_outputs(other, case.sample()), _outputs(model, case.sample()))


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_clone_model(cls: type, case: Case) -> None:
    model = model_of(cls, case)
    clone = keras.models.clone_model(model)
    assert clone.layers[-1].get_config() == model.layers[-1].get_config()
    clone.set_weights(model.get_weights())
    _assert_bit_equal(_outputs(clone, case.sample()), _outputs(model, case.sample()))


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_deepcopy(cls: type, case: Case) -> None:
    fresh = cls(**case.arguments)
    assert copy.deepcopy(fresh).get_config() == fresh.get_config()  # type: ignore[attr-defined]
    layer = model_of(cls, case).layers[-1]
    twin = copy.deepcopy(layer)
    _assert_bit_equal(_outputs(twin, case.sample()), _outputs(layer, case.sample()))
    assert {id(weight) for weight in twin.weights}.isdisjoint(id(weight) for weight in layer.weights)


@pytest.mark.parametrize("cls", LOSS_CLASSES)
def test_loss_config_round_trip(cls: Any) -> None:
    for arguments in LOSSES[cls]:
        loss = cls(**arguments, reduction="sum", name="some_name", dtype="float16")
        config = loss.get_config()
        assert config.items() >= arguments.items()
        for twin in (
            cls.from_config(json.loads(json.dumps(config))),
            keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss)),
            copy.deepcopy(loss),
        ):
            assert type(twin) is cls
            assert twin.get_config() == config


def _losses() -> list[tuple[str, Any]]:
    """Every loss as a string, and every loss class as an object with other arguments than the default."""
    named = [(f"{loss.__name__}-by-name", f"exporter>{loss.__name__}") for loss in LOSSES]
    return named + [(f"{cls.__name__}-object", cls(**LOSSES[cls][1], reduction="sum")) for cls in LOSS_CLASSES]


def _outputs(model: Any, x: np.ndarray) -> list[np.ndarray]:
    return [ops.convert_to_numpy(output) for output in keras.tree.flatten(model(x))]


def _assert_bit_equal(actual: list[np.ndarray], expected: list[np.ndarray], name: str = "") -> None:
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, name)
