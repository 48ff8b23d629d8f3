"""Methods of Keras that are wrapped while a model is built, and put back exactly.

Classes belong to the whole process, a load to one thread. So a method is wrapped when the first load begins and put back when
the last one has ended; in between, a hook acts in those threads only that have entered it.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

_Value = TypeVar("_Value")
_LOCK = threading.RLock()


class Hook(Generic[_Value]):
    """A method that does something else in threads that have entered the hook.

    Args:
        owner: gives the class; called when the hook is first entered.
        name: of the method.
        around: called with the value that the thread entered with, the method, and its arguments.
        shown: whether Keras looks at the signature of the method itself, not of what it wraps around each instance's.
    """

    def __init__(self, owner: Callable[[], type], name: str, around: Callable[..., Any], *, shown: bool = True) -> None:
        self._owner, self._name, self._around, self._shown = owner, name, around, shown
        self._value: ContextVar[_Value | None] = ContextVar(name, default=None)
        self._users = 0
        self._put_back: Callable[[], None] = lambda: None

    @contextmanager
    def entered(self, value: _Value) -> Iterator[None]:
        """Act with this value in the `with` block, in this thread."""
        with _LOCK:
            if self._users == 0:
                self._put_back = self._install(self._owner())
            self._users += 1
        token = self._value.set(value)
        try:
            yield
        finally:
            self._value.reset(token)
            with _LOCK:
                self._users -= 1
                if self._users == 0:
                    self._put_back()

    def _install(self, owner: type) -> Callable[[], None]:
        inherited = vars(owner).get(self._name)
        plain = getattr(owner, self._name)
        bound = isinstance(inspect.getattr_static(owner, self._name), classmethod)
        function = plain.__func__ if bound else plain

        @functools.wraps(function)
        def hooked(*args: Any, **kwargs: Any) -> Any:
            value = self._value.get()
            return function(*args, **kwargs) if value is None else self._around(value, function, *args, **kwargs)

        if self._shown:
            hooked.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        placed = classmethod(hooked) if bound else hooked
        setattr(owner, self._name, placed)

        def put_back() -> None:
            if vars(owner).get(self._name) is not placed:
                return  # somebody has wrapped it further, and calls what stood here
            if inherited is None:
                delattr(owner, self._name)
            else:
                setattr(owner, self._name, inherited)

        return put_back
