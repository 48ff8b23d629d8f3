"""Annotations of arguments that a config can hold, and the values that they allow: plain data, as JSON has it."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union

from exporter.authoring import arguments


def _text(owner: str, name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{owner}: `{name}` must be a text, not {value!r} ({type(value).__name__})")
    return value


_PLAIN: Mapping[Any, Callable[[str, str, Any], Any]] = {
    bool: arguments.flag,
    int: arguments.integer,
    float: arguments.number,
    str: _text,
}


def is_plain(hint: Any) -> bool:
    """Whether it is one of `int`, `float`, `bool`, `str`, a `Literal` of texts, or a list, tuple or union of these."""
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return all(member is types.NoneType or is_plain(member) for member in members)
    if origin is Literal:
        return all(isinstance(member, str) for member in members)
    if origin in (list, tuple):
        return all(member is Ellipsis or is_plain(member) for member in members)
    return hint in _PLAIN


def checked(owner: str, name: str, value: Any, hint: Any) -> Any:
    """Return the value as plain data; lists and tuples become lists, as they will be after a reload.

    Args:
        owner: what the argument is of, for messages.
        name: of the argument.
        value: the value.
        hint: an annotation that `is_plain` accepts.

    Raises:
        TypeError, ValueError: if the annotation does not allow the value.
    """
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _checked_union(owner, name, value, members)
    if origin is Literal:
        return arguments.one_of(owner, name, value, members)
    if origin in (list, tuple):
        if not isinstance(value, list | tuple):
            raise TypeError(f"{owner}: `{name}` must be a list, not {value!r} ({type(value).__name__})")
        if origin is list or Ellipsis in members:
            return [checked(owner, name, member, members[0]) for member in value]
        if len(value) != len(members):
            raise ValueError(f"{owner}: `{name}` must have {len(members)} entries, not {len(value)}")
        return [checked(owner, name, member, kind) for member, kind in zip(value, members, strict=True)]
    return _PLAIN[hint](owner, name, value)


def _checked_union(owner: str, name: str, value: Any, members: tuple[Any, ...]) -> Any:
    if value is None and types.NoneType in members:
        return None
    failures: list[Exception] = []
    for member in members:
        if member is not types.NoneType:
            try:
                return checked(owner, name, value, member)
            except (TypeError, ValueError) as error:
                failures.append(error)
    raise failures[0]
