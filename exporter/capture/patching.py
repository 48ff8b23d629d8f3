"""Replace the `call` of Keras layers and the backend's functions while a model is traced, and restore them afterwards.

This is the one place where Keras is patched. Classes and modules belong to the whole process, a trace to one thread: what is
replaced acts in the thread that entered, and every other finds Keras as it is. A replacement receives the original, so that
it may decline:

    def call(original, layer, inputs, **kwargs):
        return original(layer, inputs, **kwargs)

    def function(original, *args, **kwargs):
        return original(*args, **kwargs)
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import pkgutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Replacement = Callable[..., Any]

_LOCK = threading.RLock()  # two traces at once would restore each other's patches


@contextlib.contextmanager
def overridden(layers: Mapping[Any, Replacement], functions: Mapping[str, Replacement]) -> Iterator[None]:
    """Trace with replaced layers and functions inside this context.

    Args:
        layers: Keras layer classes and what runs in place of `call(layer, ...)`. A subclass with a `call` of its own
            keeps it; what it inherits, or reaches by `super().call`, is replaced.
        functions: names below `keras.src.backend` ("nn.gelu", "numpy.einsum", "rnn"), or full ones of functions that Keras
            composes of those ("keras.src.ops.nn._layer_normalization"), and what runs in place of them. What the installed
            Keras does not have is left out (`absent` names it): a model cannot call it either.
    """
    tracing = threading.get_ident()
    with _LOCK, contextlib.ExitStack() as stack:
        for cls, replacement in layers.items():
            stack.enter_context(_patched(cls, "call", _replaced(cls.call, replacement, tracing)))
        for name, replacement in functions.items():
            if (place := _place(name)) is None:
                continue
            owner, attribute = place
            stack.enter_context(_patched(owner, attribute, _replaced(getattr(owner, attribute), replacement, tracing)))
        yield


def absent(names: Iterable[str]) -> list[str]:
    """Return those of the functions, named as for `overridden`, that the installed Keras does not have."""
    return [name for name in names if _place(name) is None]


def _place(name: str) -> tuple[Any, str] | None:
    """Return the module or class that a function belongs to, and its name there; None if there is none."""
    home, _, attribute = name.rpartition(".")
    if not home.startswith("keras."):
        home = "keras.src.backend" + (f".tensorflow.{home}" if home else "")
    try:
        owner = pkgutil.resolve_name(home)
    except (ImportError, AttributeError):
        return None
    return (owner, attribute) if hasattr(owner, attribute) else None


def _replaced(original: Callable[..., Any], replacement: Replacement, tracing: int) -> Callable[..., Any]:
    """Return a function that is `replacement` in the thread that traces, and `original` in every other."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != tracing:
            return original(*args, **kwargs)
        return replacement(original, *args, **kwargs)

    return call


@contextlib.contextmanager
def _patched(owner: Any, attribute: str, value: Any) -> Iterator[None]:
    inherited = attribute not in vars(owner)
    original = inspect.getattr_static(owner, attribute)
    setattr(owner, attribute, staticmethod(value) if isinstance(original, staticmethod) else value)
    try:
        yield
    finally:
        if inherited:
            delattr(owner, attribute)
        else:
            setattr(owner, attribute, original)
