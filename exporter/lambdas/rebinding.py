"""A copy of a Python function that finds translations where the original finds TensorFlow, Keras 2 or NumPy.

Nothing is replaced in any module: the copy has globals, closure and defaults of its own, and so have the functions of
the user that it calls.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import keras
import numpy as np

from exporter.expressions import Refusal, translation
from exporter.expressions.graph import numpy_dtype
from exporter.expressions.recording import yielding

_LIBRARIES = frozenset({"tensorflow", "keras", "tf_keras", "numpy", "exporter", "builtins", "math", "functools"})
_KERAS_BACKEND = ("keras.src.legacy.backend", "tf_keras.src.backend")  # where Keras 2's functions are defined
_RANDOM = frozenset({"random", "dropout"})


def translated(value: Any, narrow: str | None = None) -> Any:
    """Return a function that computes the same on symbolic tensors, as far as it can be translated; or an array for one.

    Args:
        value: a function, or what one is called with.
        narrow: the dtype that arrays of float64 take; None: they keep theirs.
    """
    return _Rebinding(narrow).rebound(value)


class _Rebinding:
    """Copies functions, each once: they may call each other."""

    def __init__(self, narrow: str | None) -> None:
        self._copies: dict[int, Any] = {}
        self._narrow = narrow

    def rebound(self, value: Any) -> Any:
        """What stands in the place of a value that a function refers to."""
        if isinstance(value, ModuleType):
            return _module(value, self._narrow)
        if isinstance(value, np.ndarray | np.generic):
            return self._once(value, lambda array: _array(array, self._narrow))
        if isinstance(value, functools.partial):
            return functools.partial(self.rebound(value.func), *value.args, **value.keywords)
        if isinstance(value, MethodType) and isinstance(value.__func__, FunctionType):
            return MethodType(self.rebound(value.__func__), value.__self__)
        if callable(value) and _root(value) in _LIBRARIES and getattr(value, "__name__", "") != "<lambda>":
            return _function(value, self._narrow)
        return self._copy(value) if isinstance(value, FunctionType) else value

    def _once(self, value: Any, make: Callable[[Any], Any]) -> Any:
        if id(value) not in self._copies:
            self._copies[id(value)] = make(value)
        return self._copies[id(value)]

    def _copy(self, function: FunctionType) -> FunctionType:
        if id(function) in self._copies:
            return self._copies[id(function)]
        own_builtins = {**vars(builtins), "__import__": self._import}
        names: dict[str, Any] = {**function.__globals__, "__builtins__": own_builtins}
        cells = tuple(CellType() for _ in function.__closure__ or ())
        copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)
        self._copies[id(function)] = copy  # before what it refers to: it may refer to itself
        copy.__kwdefaults__ = function.__kwdefaults__
        for name in _names_in(function.__code__) & function.__globals__.keys():
            names[name] = self.rebound(function.__globals__[name])
        for cell, original in zip(cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self.rebound(original.cell_contents)
        copy.__defaults__ = tuple(map(self.rebound, function.__defaults__ or ())) or None
        return copy

    def _import(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """`import tensorflow as tf` inside the function."""
        return _module(builtins.__import__(name, *args, **kwargs), self._narrow)


def _names_in(code: CodeType) -> set[str]:
    """The global names that a function, and functions defined inside it, may look up."""
    inner = (_names_in(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)


def _module(module: ModuleType, narrow: str | None) -> Any:
    known = _root_of_name(module.__name__) in ("tensorflow", "keras", "tf_keras", "numpy")
    return _Module(module, narrow) if known else module


class _Module:
    """Stands for a module of a library; what is taken from it is translated where possible."""

    def __init__(self, module: ModuleType, narrow: str | None) -> None:
        self._module, self._narrow = module, narrow

    def __getattr__(self, name: str) -> Any:
        root = _root_of_name(self._module.__name__)
        if name in _RANDOM and root in ("tensorflow", "numpy"):
            raise _random(f"{root}.{name}")
        value = getattr(self._module, name)
        if isinstance(value, ModuleType):
            return _module(value, self._narrow)
        return _function(value, self._narrow, name) if callable(value) and not isinstance(value, type) else value


def _function(function: Callable[..., Any], narrow: str | None, name: str | None = None) -> Callable[..., Any]:
    """A function that is translated when it is called on a symbolic tensor, and itself else."""
    called = name or str(getattr(function, "__name__", ""))
    translate = _translation(function, called)
    if translate is None:
        return _named(function, called) if _root(function) == "tensorflow" else function

    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        symbolic = any(isinstance(value, keras.KerasTensor) for value in keras.tree.flatten([args, kwargs]))
        return translate(*args, **kwargs) if symbolic else _array(function(*args, **kwargs), narrow)

    return either


def _named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function of TensorFlow without a translation; where it takes no symbolic tensor, it is told which it was."""

    @functools.wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Refusal:
            raise
        except (TypeError, ValueError) as error:
            if not any(isinstance(value, keras.KerasTensor) for value in keras.tree.flatten([args, kwargs])):
                raise
            raise Refusal(
                f"it calls TensorFlow's {name}, for which no function of keras.ops is known here",
                "write it with keras.ops functions",
            ) from error

    return named


def _array(value: Any, narrow: str | None) -> Any:
    """NumPy's arrays and numbers, in a form that leaves `value * tensor` to the tensor; a number takes its dtype then."""
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray):
        return value
    return yielding(value.astype(numpy_dtype(narrow)) if narrow and value.dtype == np.float64 else value)


def _translation(function: Any, name: str) -> translation.Translation | None:
    module = getattr(function, "__module__", None) or type(function).__module__
    if module.startswith(_KERAS_BACKEND):
        if name.startswith("random_") or name in ("dropout", "truncated_normal"):
            raise _random(f"K.{name}")
        return translation.of_keras_backend(name)
    root = _root_of_name(module)
    if root == "tensorflow":
        return translation.of_tensorflow(name)
    return translation.of_numpy(name) if root == "numpy" else None


def _random(name: str) -> Refusal:
    return Refusal(
        f"it draws random numbers ({name})",
        "use keras.layers.GaussianNoise, Dropout, or a layer of your own with a keras.random.SeedGenerator",
    )


def _root(value: Any) -> str:
    return _root_of_name(getattr(value, "__module__", None) or type(value).__module__)


def _root_of_name(module: str) -> str:
    return module.partition(".")[0]
