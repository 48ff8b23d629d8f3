"""What of the user's own a model file names beside layers: activations, initializers, losses, metrics, optimizers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exporter.capture.source import Source


@dataclass(frozen=True)
class Custom:
    """A class or function outside of Keras that a saved model refers to.

    Args:
        thing: the class or function.
        where: where the model uses it.
        instance: the object of this class that is used there; None for layers, models and functions.
    """

    thing: Any
    where: str
    instance: Any = None

    @property
    def name(self) -> str:
        """Module and name."""
        return f"{self.thing.__module__}.{self.thing.__qualname__}"


def custom_objects_of(source: Source) -> tuple[Custom, ...]:
    """Every class and function of the user's own that the model file will name, each once, layers first."""
    import keras

    model = source.model
    found = [Custom(cls, "a layer") for cls in source.custom_classes]
    if _is_foreign(type(model)):
        found.append(Custom(type(model), "the model"))
    for layer in source.layers:
        if isinstance(layer, keras.Model | keras.layers.Lambda):  # its layers come by themselves; "lambdas" tells
            continue
        found += _named_by(layer, f"{layer.path} ({type(layer).__name__})")
    if model.compiled:
        for key, value in model._compile_config.config.items():  # Keras 3.15 keeps the arguments of compile() here
            found += _within(value, f"compile({key}=...)")
    return tuple({id(custom.thing): custom for custom in reversed(found)}.values())[::-1]


def _named_by(owner: Any, where: str) -> Iterator[Custom]:
    """The values of those attributes that the config of the owner holds, too."""
    try:
        keys = list(owner.get_config())
    except Exception:  # a user's code; the rule "configuration" tells of it
        return
    for key in keys:
        for attribute in (key, f"_{key}"):  # a schedule is an optimizer's _learning_rate, a metric's function its _fn
            yield from _within(vars(owner).get(attribute), f"{key}= of {where}")


def _within(value: Any, where: str) -> Iterator[Custom]:
    import keras

    for leaf in keras.tree.flatten(value) if isinstance(value, list | tuple | dict) else [value]:
        if isinstance(leaf, keras.Layer):  # it is among the layers of the model
            continue
        if inspect.isfunction(leaf) or inspect.isclass(leaf):
            if _is_foreign(leaf):
                yield Custom(leaf, where)
        elif callable(getattr(leaf, "get_config", None)):
            if _is_foreign(type(leaf)):
                yield Custom(type(leaf), where, leaf)
            yield from _named_by(leaf, where)


def _is_foreign(thing: Any) -> bool:
    return getattr(thing, "__module__", "").partition(".")[0] not in ("keras", "builtins")
