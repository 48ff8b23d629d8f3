"""Which arguments a class of Keras 3 takes."""

from __future__ import annotations

import functools
import inspect


@functools.cache
def parameters_of(cls: type) -> frozenset[str]:
    """Return the arguments that can be given by name to a class, those that it passes on to its bases included."""
    found: set[str] = set()
    for base in cls.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters
            found |= parameters.keys()
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
                break
    return frozenset(found - {"self", "args", "kwargs"})
