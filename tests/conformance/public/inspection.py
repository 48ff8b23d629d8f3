"""Finds the public layers, activations and losses by looking, so that none can be forgotten."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

PACKAGES = ("exporter.layers", "exporter.activations", "exporter.losses")


def public_objects(package: str) -> list[Any]:
    """Every class and function that a public module below `package` defines under a public name."""
    parent = importlib.import_module(package)
    found = []
    for entry in pkgutil.walk_packages(parent.__path__, prefix=f"{package}."):
        if not entry.name.rpartition(".")[2].startswith("_"):
            module = importlib.import_module(entry.name)
            found += [value for name, value in vars(module).items() if _is_public(name, value, module.__name__)]
    return sorted(found, key=lambda value: value.__name__)


def public_layers() -> list[type]:
    return [value for value in public_objects("exporter.layers") if inspect.isclass(value)]


def public_activations() -> list[Callable[..., Any]]:
    return public_objects("exporter.activations")


def public_losses() -> list[Any]:
    return public_objects("exporter.losses")


def _is_public(name: str, value: Any, module: str) -> bool:
    is_definition = inspect.isclass(value) or inspect.isfunction(value)
    return is_definition and not name.startswith("_") and value.__module__ == module
