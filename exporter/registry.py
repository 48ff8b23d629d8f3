"""A table of names that refuses duplicates and, on a miss, lists the names it knows."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Names mapped to objects that register themselves when their module is imported.

    Args:
        noun: what is registered, in the singular, for messages ("format").
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._entries: dict[str, T] = {}

    def register(self, *names: str) -> Callable[[T], T]:
        """Decorate an object to enter it under `names`.

        Raises:
            ValueError: if a name is taken.
        """

        def enter(entry: T) -> T:
            for name in names:
                if name in self._entries:
                    raise ValueError(f"{self.noun} {name!r} is registered twice: {self._entries[name]!r} and {entry!r}")
                self._entries[name] = entry
            return entry

        return enter

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            raise KeyError(f"no {self.noun} {name!r}; known: {', '.join(sorted(self._entries))}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def import_submodules(package: str) -> None:
    """Import every module below `package`, so that what they register is registered.

    Private modules (a leading underscore) are left to those who need them.
    """
    parent = importlib.import_module(package)
    for module in pkgutil.walk_packages(parent.__path__, prefix=f"{package}."):
        if not module.name.rpartition(".")[2].startswith("_"):
            importlib.import_module(module.name)
