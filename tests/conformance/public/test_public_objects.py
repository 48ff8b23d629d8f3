"""Nothing public is forgotten: every class and function found by inspection is exported, registered and has cases."""

from __future__ import annotations

import importlib
import inspect

import keras
import pytest

from tests.conformance.public import cases, inspection

EVERY_OBJECT = [(package, value) for package in inspection.PACKAGES for value in inspection.public_objects(package)]
IDS = [f"{package}.{value.__name__}" for package, value in EVERY_OBJECT]


def test_inspection_finds_something() -> None:
    assert len(inspection.public_layers()) >= 11
    assert len(inspection.public_activations()) >= 5
    assert len(inspection.public_losses()) >= 2


@pytest.mark.parametrize("package", inspection.PACKAGES)
def test_all_is_what_inspection_finds(package: str) -> None:
    found = [value.__name__ for value in inspection.public_objects(package)]
    module = importlib.import_module(package)
    assert sorted(module.__all__) == sorted(found)
    assert all(getattr(module, name) for name in found)


@pytest.mark.parametrize(("package", "value"), EVERY_OBJECT, ids=IDS)
def test_every_public_object_has_cases(package: str, value: object) -> None:
    known = cases.LAYERS | cases.FUNCTIONS | cases.LOSSES
    assert known.get(value), (
        f"{package}.{value.__name__} is not tested: add its arguments and float64 reference "  # type: ignore[attr-defined]
        "to LAYERS, FUNCTIONS or LOSSES in tests/conformance/public/cases.py"
    )


@pytest.mark.parametrize(("package", "value"), EVERY_OBJECT, ids=IDS)
def test_every_public_object_is_registered_under_its_name(package: str, value: object) -> None:
    name = value.__name__  # type: ignore[attr-defined]
    assert keras.saving.get_registered_name(value) == f"exporter>{name}"
    assert keras.saving.get_registered_object(f"exporter>{name}") is value


@pytest.mark.parametrize(("package", "value"), EVERY_OBJECT, ids=IDS)
def test_every_public_object_is_documented(package: str, value: object) -> None:
    assert value.__doc__
    documented = value.__doc__
    for argument in inspect.signature(value).parameters:  # type: ignore[arg-type]
        assert f"{argument}:" in documented, f"the docstring of {value!r} does not describe `{argument}`"


@pytest.mark.parametrize("cls", [*inspection.public_layers(), *filter(inspect.isclass, inspection.public_losses())])
def test_config_holds_every_argument(cls: type) -> None:
    known = {**cases.LAYERS, **cases.LOSSES}[cls][0]
    arguments = known if isinstance(known, dict) else known.arguments
    config = cls(**arguments).get_config()
    named = {name for name, value in inspect.signature(cls).parameters.items() if value.kind is not value.VAR_KEYWORD}
    assert named <= config.keys()


@pytest.mark.parametrize("function", inspection.public_activations(), ids=lambda function: function.__name__)
def test_every_activation_works_by_name(function: object) -> None:
    name = f"exporter>{function.__name__}"  # type: ignore[attr-defined]
    assert keras.activations.get(name) is function
    assert keras.layers.Dense(8, activation=name).activation is function
    assert keras.activations.get(keras.activations.serialize(function)) is function


@pytest.mark.parametrize("loss", inspection.public_losses(), ids=lambda loss: loss.__name__)
def test_every_loss_works_by_name(loss: object) -> None:
    found = keras.losses.get(f"exporter>{loss.__name__}")  # type: ignore[attr-defined]
    assert isinstance(found, loss) if inspect.isclass(loss) else found is loss
