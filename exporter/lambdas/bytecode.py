"""Names for the functions of Lambda layers that come out of a trusted file.

A file holds the bytecode of a Lambda, but not what `tf`, `K` or `np` meant where it was written. Keras runs it with the
names of one of its own modules, so `lambda x: tf.square(x)` fails. Here such a function finds the usual names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import keras

from exporter.loading.hooks import Hook


@contextmanager
def default_globals() -> Iterator[None]:
    """In the `with` block, functions of Lambda layers read from files find tf, K, np, keras, ops, layers and math."""
    with _HOOK.entered(True):
        yield


def _from_config(
    _: bool, plain: Callable[..., Any], cls: type, config: Any, custom_objects: Any = None, safe_mode: Any = None
) -> Any:
    layer = plain(cls, _readable(config), custom_objects=custom_objects, safe_mode=safe_mode)
    if isinstance(layer.function, FunctionType) and layer.function.__name__ == "<lambda>":
        layer.function = _with_names(layer.function, {**_usual(), **dict(custom_objects or {})})
    return layer


_HOOK: Hook[bool] = Hook(lambda: keras.layers.Lambda, "from_config", _from_config)


def _readable(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with default values as a tuple: Keras 3.15 reads a list from the file, which Python does not take."""

    def readable(value: Any) -> Any:
        stored = value.get("config") if isinstance(value, dict) and value.get("class_name") == "__lambda__" else None
        if not isinstance(stored, dict) or not isinstance(stored.get("defaults"), list):
            return value
        return {**value, "config": {**stored, "defaults": tuple(stored["defaults"])}}

    return {key: readable(value) for key, value in config.items()}


def _usual() -> dict[str, Any]:
    import math

    import numpy
    import tensorflow as tf

    backend = tf.keras.backend
    return {
        "K": backend,
        "backend": backend,
        "keras": keras,
        "layers": keras.layers,
        "math": math,
        "np": numpy,
        "numpy": numpy,
        "ops": keras.ops,
        "tensorflow": tf,
        "tf": tf,
    }


def _with_names(function: FunctionType, names: Mapping[str, Any]) -> FunctionType:
    """The same function with more globals; its own, if it has any, come first."""
    copy = FunctionType(
        function.__code__,
        {**names, **_own_globals(function)},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _own_globals(function: FunctionType) -> dict[str, Any]:
    """Nothing where Keras has lent the names of its own module."""
    return {} if function.__globals__.get("__name__", "").startswith("keras.") else function.__globals__
