"""The allow-list against Keras's own public API: nothing stale, nothing unjudged."""

from __future__ import annotations

import inspect
import sys

import keras
import pytest
from keras.src.api_export import get_name_from_symbol, get_symbol_from_name

from exporter.loading import allowed

# Judged and left out: bases and abstractions, of which a file holds no instance, and what is not part of a model.
NOT_STORED = {
    "Layer": "base",
    "Initializer": "base",
    "Regularizer": "base",
    "Loss": "base",
    "Metric": "base",
    "Optimizer": "base",
    "Operation": "base",
    "Quantizer": "base",
    "Function": "internal graph of a Functional model; it has no config of its own",
    "Lambda": "judged by its function, not by its name",
}
FUNCTIONS_NOT_STORED = {"get", "serialize", "deserialize"}


def subclasses(base):
    for cls in base.__subclasses__():
        yield cls
        yield from subclasses(cls)


def public_classes():
    """Every class of the public Keras API that can be serialized inside a model, found by its base."""
    bases = (
        keras.Operation,
        keras.initializers.Initializer,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
        keras.Loss,
        keras.Metric,
        keras.Optimizer,
        keras.optimizers.schedules.LearningRateSchedule,
        keras.DTypePolicy,
        keras.Quantizer,
        keras.quantizers.QuantizationConfig,
    )
    found = {cls for base in bases for cls in (base, *subclasses(base))}
    return sorted(name for cls in found if (name := get_name_from_symbol(cls)) and cls.__module__.startswith("keras."))


def judged(name):
    namespace, _, cls = name.rpartition(".")
    return allowed.allows_class(namespace, cls) or cls in allowed.DENIED or cls in NOT_STORED


def test_every_public_class_is_judged():
    names = public_classes()
    assert len(names) > 250
    new = [name for name in names if not judged(name)]
    assert not new, "new in Keras: read them, then add them to allowed.py (or to DENIED, with the reason)"


@pytest.mark.parametrize("namespace", sorted(allowed.CLASSES))
def test_every_allowed_class_exists(namespace):
    for name in allowed.CLASSES[namespace]:
        public = get_symbol_from_name(f"{namespace}.{name}")
        module = sys.modules.get(namespace)
        assert inspect.isclass(public or getattr(module, name, None)), f"{namespace}.{name}"


@pytest.mark.parametrize("namespace", sorted(allowed.FUNCTIONS))
def test_functions_are_those_of_keras(namespace):
    public = {
        name
        for name in vars(get_module(namespace))
        if (symbol := get_symbol_from_name(f"{namespace}.{name}")) is not None and inspect.isfunction(symbol)
    }
    assert allowed.FUNCTIONS[namespace] == public - FUNCTIONS_NOT_STORED


def get_module(name):
    module = keras
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    return module


def test_operations_are_allowed_by_module_but_those_on_functions():
    for module in allowed.OP_MODULES:
        assert module in sys.modules
    assert allowed.allows_class("keras.src.ops.numpy", "Add")
    for name in allowed.OPS_ON_FUNCTIONS:
        assert any(hasattr(sys.modules[module], name) for module in allowed.OP_MODULES), name
        assert not any(allowed.allows_class(module, name) for module in allowed.OP_MODULES)


def test_operation_modules_hold_operations_only_from_keras():
    """What stands in these modules beside operations is no class that Keras would build from a config."""
    for module in allowed.OP_MODULES:
        for name, thing in vars(sys.modules[module]).items():
            if inspect.isclass(thing) and issubclass(thing, keras.Operation):
                assert thing.__module__.startswith("keras.src."), name


def test_denied_classes_exist_and_are_not_allowed():
    for name in allowed.DENIED:
        assert inspect.isclass(getattr(keras.layers, name))
        assert name not in allowed.ALL_CLASS_NAMES
