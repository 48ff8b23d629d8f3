"""Checks of the arguments that users pass to constructors: each returns the plain Python value or says what is wrong.

Every function takes `owner` (the class that was called) and `name` (the argument) for its message. A wrong type raises
TypeError, a wrong value ValueError. What is returned is an int, float or bool of Python, so that it can go into JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any


def number(owner: str, name: str, value: Any, *, above: float | None = None) -> float:
    """A finite number, greater than `above` if that is given."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(_message(owner, name, "a number", value))
    if not math.isfinite(value):
        raise ValueError(_message(owner, name, "a finite number", value))
    if above is not None and not float(value) > above:
        raise ValueError(_message(owner, name, f"a number greater than {above:g}", value))
    return float(value)


def integer(owner: str, name: str, value: Any, *, at_least: int | None = None) -> int:
    """An integer, not below `at_least` if that is given."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(_message(owner, name, "an integer", value))
    if at_least is not None and value < at_least:
        raise ValueError(_message(owner, name, f"an integer of at least {at_least}", value))
    return int(value)


def flag(owner: str, name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(_message(owner, name, "True or False", value))
    return value


def one_of(owner: str, name: str, value: Any, allowed: Sequence[str]) -> str:
    """One of the strings in `allowed`."""
    if value not in allowed:
        raise ValueError(_message(owner, name, f"one of {', '.join(map(repr, allowed))}", value))
    return str(value)


def integers(owner: str, name: str, value: Any) -> int | list[int]:
    """An integer, or a non-empty list or tuple of different integers (returned as a list)."""
    if not isinstance(value, (list, tuple)):
        return integer(owner, name, value)
    members = [integer(owner, name, member) for member in value]
    if not members or len(set(members)) < len(members):
        raise ValueError(_message(owner, name, "an integer or a list of different integers", value))
    return members


def numbers(owner: str, name: str, value: Any, *, above: float | None = None) -> float | list[float]:
    """A finite number, or a non-empty sequence of them (returned as a list)."""
    if isinstance(value, Real):
        return number(owner, name, value, above=above)
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(_message(owner, name, "a number or a list of numbers", value))
    members = [number(owner, name, member, above=above) for member in value]
    if not members:
        raise ValueError(_message(owner, name, "a number or a list of numbers", value))
    return members


def _message(owner: str, name: str, wanted: str, value: Any) -> str:
    return f"{owner}: `{name}` must be {wanted}, not {value!r} ({type(value).__name__})"
