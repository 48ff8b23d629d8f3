"""Registers custom layers, activations and losses with Keras, under names that stay and that nobody else may take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import keras

PACKAGE = "exporter"

T = TypeVar("T")


def serializable(name: str, *, by_name_in: ModuleType | None = None) -> Callable[[T], T]:
    """Decorate a class or function so that `.keras` files refer to it as `exporter>NAME`.

    Args:
        name: the name in files. It never changes, whatever happens to the Python name.
        by_name_in: `keras.activations` or `keras.losses`, to let users write the string `"exporter>NAME"` as well,
            as in `Dense(8, activation="exporter>elish")`.

    Raises:
        ValueError: if another object has this name already.
    """

    def register(entry: T) -> T:
        key = f"{PACKAGE}>{name}"
        known = keras.saving.get_custom_objects().get(key)
        if known is not None and known is not entry:
            raise ValueError(
                f"{key!r} is registered already, for {_origin(known)}; {_origin(entry)} needs a name of its own"
            )
        keras.saving.register_keras_serializable(package=PACKAGE, name=name)(entry)
        if by_name_in is not None:
            _names_of(by_name_in)[key] = entry
        return entry

    return register


def _names_of(module: ModuleType) -> dict[str, Any]:
    """The table in which `module.get` looks strings up.

    `keras.activations.get("...")` and `keras.losses.get("...")` know the names in this table only, not the registered
    ones (Keras 3.15), and Keras offers no other way to add a name. The table lies where `get` is defined.
    """
    table: dict[str, Any] = sys.modules[module.get.__module__].ALL_OBJECTS_DICT
    return table


def _origin(entry: Any) -> str:
    return f"{entry.__module__}.{entry.__qualname__}"
