"""The functions of `keras.ops` that a graph may call, found by the operation classes behind them.

Keras records a call of `keras.ops.mean(x, axis=1)` on a symbolic tensor as an object of the class `Mean(axis=1)`, called
with `x`. The arguments of the function are those of the class's constructor and of its `call`, under the same names.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras

from exporter.expressions.refusal import Refusal

# Where Keras defines the operations, and below which name the functions are public.
_MODULES = {
    "core": "",
    "einops": "",
    "image": "image.",
    "linalg": "",
    "math": "",
    "nn": "",
    "numpy": "",
}
# These call functions that they are given, or draw random numbers: no data.
EXCLUDED = frozenset(
    (
        "AssociativeScan",
        "Cond",
        "ElasticTransform",
        "ForiLoop",
        "JVP",
        "Map",
        "Scan",
        "Switch",
        "VectorizedMap",
        "WhileLoop",
    )
)
_OTHER_NAMES = {"BatchNorm": "batch_normalization", "LayerNorm": "layer_normalization", "RMSNorm": "rms_normalization"}


@functools.cache
def _by_class() -> Mapping[type, str]:
    return dict(_find())


@functools.cache
def _functions() -> Mapping[str, Callable[..., Any]]:
    return {name: _public(name) for name in _by_class().values()}


def names() -> frozenset[str]:
    """The names that a graph may call, as they stand below `keras.ops`: "mean", "image.resize"."""
    return frozenset(_functions())


def function(name: str) -> Callable[..., Any]:
    """The function of this name.

    Raises:
        Refusal: if a graph may not call it.
    """
    if not isinstance(name, str) or name not in _functions():
        raise Refusal(f"{name!r} is not among the keras.ops functions that an expression may call")
    return _functions()[name]


def parameters(name: str) -> Mapping[str, inspect.Parameter]:
    """The parameters of the function of this name."""
    return _parameters(function(name))


@functools.cache
def _parameters(public: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(public).parameters


def call_of(operation: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[str, list[Any], dict[str, Any]]:
    """Turn a recorded operation and the arguments of its call into a call of the public function.

    Returns:
        The name below `keras.ops`, positional and keyword arguments.

    Raises:
        Refusal: if it is no operation of `keras.ops`.
    """
    name = _by_class().get(type(operation))
    if name is None:
        raise _foreign(operation)
    call = inspect.signature(type(operation).call).bind(operation, *args, **kwargs).arguments
    given = {**_configured(operation), **dict(list(call.items())[1:])}
    given.update(given.pop("kwargs", {}))
    return name, *_arranged(name, given)


def _arranged(name: str, given: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional arguments only where `*operands` stands in the signature."""
    wanted = parameters(name)
    variadic = next((key for key, p in wanted.items() if p.kind is p.VAR_POSITIONAL), None)
    if variadic is None:
        return [], {key: value for key, value in given.items() if _told(wanted.get(key), value)}
    before = list(wanted)[: list(wanted).index(variadic)]
    args = [given.pop(key) for key in before] + list(given.pop(variadic, ()))
    return args, {key: value for key, value in given.items() if _told(wanted.get(key), value)}


def _told(parameter: inspect.Parameter | None, value: Any) -> bool:
    """Leave out what is the default anyway: graphs are read by people too."""
    return parameter is None or parameter.default is parameter.empty or value is not parameter.default


def _configured(operation: Any) -> dict[str, Any]:
    """The arguments of the constructor."""
    wanted = [name for name in inspect.signature(type(operation).__init__).parameters if name not in ("self", "name")]
    try:
        config = operation.get_config()
    except NotImplementedError:  # an argument that Keras cannot write down; it keeps it all the same
        config = vars(operation)
    return {name: config[name] for name in wanted if name in config}


def _find() -> Iterator[tuple[type, str]]:
    for part, prefix in _MODULES.items():
        module = importlib.import_module(f"keras.src.ops.{part}")
        public = {name.replace("_", ""): name for name in dir(keras.ops.image if prefix else keras.ops)}
        for cls_name, cls in vars(module).items():
            if _is_operation(cls, module.__name__) and cls_name not in EXCLUDED:
                name = _OTHER_NAMES.get(cls_name) or public.get(cls_name.lower())
                if name is not None and _same_arguments(cls, _public(prefix + name)):
                    yield cls, prefix + name


def _is_operation(cls: Any, module: str) -> bool:
    return inspect.isclass(cls) and issubclass(cls, keras.Operation) and cls.__module__ == module


def _same_arguments(cls: type, public: Callable[..., Any]) -> bool:
    own = [*inspect.signature(cls.__init__).parameters, *inspect.signature(cls.call).parameters]  # type: ignore[attr-defined,misc]
    return {*own} - {"self", "name"} <= set(inspect.signature(public).parameters)


def _public(name: str) -> Callable[..., Any]:
    home, _, last = name.rpartition(".")
    return getattr(getattr(keras.ops, home) if home else keras.ops, last)


def _foreign(operation: Any) -> Refusal:
    if isinstance(operation, keras.layers.InputLayer):
        return Refusal("it uses a tensor of the surrounding model", "pass that tensor as an input of the function")
    if isinstance(operation, keras.Layer):
        return Refusal(
            f"it calls the layer {operation.name!r}, which it hides from the model",
            "call the layer on the tensors of the model itself",
        )
    return Refusal(
        f"it calls {type(operation).__name__}, which cannot be written down as a function of keras.ops",
        "write it with other functions of keras.ops",
    )
