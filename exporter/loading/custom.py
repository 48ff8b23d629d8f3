"""The classes and functions that a file may name beyond Keras: registered ones, and those the user passes."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from exporter.errors import UsageError
from exporter.loading import allowed
from exporter.loading.backend import require_tensorflow

# Under PyTorch, Keras stores these optimizers under modules that need PyTorch; they are the same algorithms.
_TORCH = "keras.src.backend.torch.optimizers"
TORCH_OPTIMIZERS = ("Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Lion", "Nadam", "RMSprop", "SGD")

# Their classes are layers, models and parts of these; their functions read and write files.
_HUB_FUNCTIONS = frozenset({"gelu_approximate"})  # but for this one, an activation that its models use

# Our own packages: what they register loads with nothing passed.
_OWN = ("exporter.layers", "exporter.activations", "exporter.losses")


def import_custom(modules: Sequence[str]) -> dict[str, Any]:
    """Import the user's modules (`--custom PKG.MODULE`); importing them registers their classes.

    Args:
        modules: dotted names, importable from the working directory or the environment.

    Returns:
        the classes and functions defined in these modules, by their plain names, for `custom_objects`:
        Keras stores an unregistered class under its plain name.

    Raises:
        UsageError: if a module is missing or fails while it is imported, or two define the same name.
    """
    found: dict[str, Any] = {}
    for name in modules:
        for key, thing in _definitions(_import(name)).items():
            if key in found and found[key] is not thing:
                raise UsageError(
                    "two custom modules define the same name",
                    where=f"--custom {name}: {key}",
                    reason=f"{found[key].__module__} has it too",
                    remedy="pass one of them, or register the classes under different names",
                )
            found[key] = thing
    return found


_named: set[str] = set()  # the packages of the modules that the user of this process has named


def _import(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise _not_imported(name, "that is no name of a module", _DOTTED)
    require_tensorflow()  # first: what Keras would like to import and is not installed must not be sought in the folder
    try:
        if (here := os.getcwd()) not in sys.path:
            sys.path.append(here)  # users name modules of the project they stand in; last, so that it shadows nothing
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # the user's own code runs here and may raise anything
        missing = isinstance(error, ModuleNotFoundError) and name.startswith(error.name or "\0")
        remedy = _DOTTED if missing else f"make `python -c 'import {name}'` work first"
        raise _not_imported(name, f"{type(error).__name__}: {error}", remedy) from error
    root = name.partition(".")[0]
    if root not in allowed.HUB:  # of the Hub, a module vouches for what it defines itself, and no more
        _named.add(root)
    return module


_DOTTED = "give the dotted name of a module (PKG.MODULE, not a file name) and run from its project folder"


def _not_imported(name: str, reason: str, remedy: str) -> UsageError:
    return UsageError("the custom module cannot be imported", where=f"--custom {name}", reason=reason, remedy=remedy)


def _definitions(module: ModuleType) -> dict[str, Any]:
    """Classes and functions that the module itself defines; what it imports from elsewhere is not its own.

    One that is registered, and called as something of Keras is, goes by its registered name alone: a layer class
    `linear` must not take the place of the activation.
    """
    own = {
        name: thing
        for name, thing in vars(module).items()
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__ == module.__name__
        and not name.startswith("_")
    }
    return {name: thing for name, thing in own.items() if name not in _of_keras() or not _is_registered(thing)}


def _of_keras() -> Set[str]:
    return allowed.ALL_FUNCTION_NAMES | allowed.ALL_CLASS_NAMES


def _is_registered(thing: Any) -> bool:
    from keras.saving import get_custom_objects

    return any(known is thing for known in get_custom_objects().values())


@dataclass(frozen=True)
class KnownNames:
    """What Keras will find under names that are not its own: registered, in scope, or passed by the user.

    Args:
        custom_objects: as passed by the user.
    """

    custom_objects: Mapping[str, Any]

    @cached_property
    def known(self) -> Set[str]:
        """Every name that leads to something."""
        return self._everything.keys()

    @cached_property
    def _everything(self) -> Mapping[str, Any]:
        """What Keras would search, the first name first."""
        from keras.saving import get_custom_objects

        return {**self.custom_objects, **_in_scope(), **get_custom_objects()}

    def is_named(self, thing: Any) -> bool:
        """Whether the user named an object: passed it, or named the module that defines it, or wrote it in `__main__`."""
        passed = (*self.custom_objects.values(), *_in_scope().values())
        root = _root(thing)
        return root == "__main__" or root in _named or any(thing is one for one in passed)

    def is_vouched_for(self, thing: Any) -> bool:
        """Whether an object is the user's, this package's, or a class of Keras Hub.

        What else an installed package has registered is neither: registering something is no promise about its arguments.
        """
        root = _root(thing)
        if root == "exporter" or self.is_named(thing):
            return True
        if root in allowed.HUB:
            return isinstance(thing, type) or getattr(thing, "__name__", "") in _HUB_FUNCTIONS
        return not _is_installed(thing)

    def find(self, name: str) -> Any:
        """The class or function of this name, or None. As in Keras, what is registered comes first."""
        from keras.saving import get_registered_object

        return get_registered_object(name, custom_objects=self.custom_objects)

    def find_function(self, name: str) -> Any:
        """The function of this name; up to Keras 3.6 `package>name` was stored as `name`."""
        if (found := self.find(name)) is not None or ">" in name:
            return found
        return next((thing for key, thing in self._everything.items() if key.endswith(f">{name}")), None)


def _in_scope() -> Mapping[str, Any]:
    """What the user has put in `keras.saving.custom_object_scope`."""
    from keras.src.backend.common import global_state

    found: Mapping[str, Any] = global_state.get_global_attribute("custom_objects_scope_dict", {})
    return found


def _root(thing: Any) -> str:
    """The package that defines an object."""
    return str(getattr(thing, "__module__", None) or "").partition(".")[0]


def _is_installed(thing: Any) -> bool:
    """Whether an object comes from an installed package, not from a project of the user."""
    module = sys.modules.get(str(getattr(thing, "__module__", None) or ""))
    file = str(getattr(module, "__file__", None) or "")
    installed = {"site-packages", "dist-packages"} & set(Path(file).parts)
    return bool(installed) or _root(thing) in sys.stdlib_module_names


def known_names(custom_objects: Mapping[str, Any] | None, text: str = "") -> KnownNames:
    """Register our own layers, activations and losses, and tell what is known then.

    Args:
        custom_objects: as passed by the user.
        text: the config in which the names stand. If it mentions Keras Hub, its classes are registered too, where it
            is installed; if it was written under PyTorch, its optimizers lead to those of every backend.
    """
    for name in (*_OWN, "keras_hub") if "keras_hub" in text else _OWN:
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
    import keras

    names = TORCH_OPTIMIZERS if _TORCH in text else ()
    return KnownNames({name: getattr(keras.optimizers, name) for name in names} | dict(custom_objects or {}))
