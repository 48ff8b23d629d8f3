"""The findings about a config: what a serialized object asks for, why that is refused, and what to do."""

from __future__ import annotations

import builtins
import sys

from exporter.loading import allowed
from exporter.loading.finding import Finding
from exporter.loading.kinds import MODEL, Demand

# Packages that models name only in attacks: their callables do anything.
_FOREIGN = frozenset(sys.stdlib_module_names) | {"numpy", "tensorflow", "torch", "jax", "pip", "setuptools", "h5py"}

_TRUST = "if you know who made the file and what is in it, load it with trust=True (--trust)"


def bytecode(what: str, where: str, legacy: bool) -> Finding:
    """A Python function stored as bytecode."""
    remedy = (
        f"replace it by keras.ops calls or by a layer of your own and save again; {_TRUST}, or have its Lambda layers "
    )
    remedy += "rewritten: kx fix FILE -o NEW --trust"
    return Finding(f"{what} with Python bytecode", where, remedy, "CVE-2025-9905" if legacy else "CVE-2024-3660")


def denied(name: str, where: str) -> Finding:
    """A class of Keras that does more than compute."""
    reason, cve = allowed.DENIED[name]
    return Finding(f"{name} {reason}", where, _TRUST, cve)


def not_allowed(kind: str, module: str, name: str, where: str) -> Finding:
    """Something of Keras that is not on the allow-list."""
    remedy = f"if it is new in Keras, name it: custom_objects={{{name!r}: {module}.{name}}}"
    # Switching safe mode off from within a config has a number of its own.
    cve = "CVE-2025-9906" if module.startswith("keras.config") else "CVE-2025-8747"
    return Finding(f"the {kind} {module}.{name} is not among those that a model may be made of", where, remedy, cve)


def renamed(name: str, registered: str, where: str) -> Finding:
    """A built-in under the registered name of something else."""
    return Finding(f"the built-in {name!r} is given the registered name {registered!r}", where)


def overridden(name: str, custom: object, where: str) -> Finding:
    """A built-in whose name now leads to somebody's own object."""
    remedy = "register your object under a name of its own: @keras.saving.register_keras_serializable(package=...)"
    return Finding(f"{name!r} is a built-in of Keras, but {custom!r} would be used instead", where, remedy)


def operation_in_legacy(name: str, where: str) -> Finding:
    """A `keras.ops` call in an `.h5` file, which Keras writes but cannot read."""
    remedy = "save the model as .keras: .h5 files hold layers only"
    return Finding(f"an .h5 file cannot give back the keras.ops call {name!r}", where, remedy, unsafe=False)


def unknown(kind: str, name: str, registered: str | None, module: str | None, where: str) -> Finding:
    """A class or function that neither Keras nor the user's modules know."""
    root = (module or "").partition(".")[0]
    if root in _FOREIGN and not (root == "builtins" and not hasattr(builtins, name)):
        what = f"the {kind} {module}.{name} lies outside of Keras and of the modules you named"
        return Finding(what, where, _TRUST, "CVE-2025-1550")
    if kind == "function":  # Keras writes neither their module nor their name where these belong
        registered, module = None, None if root == "builtins" else module
    called = f"unknown {kind} {name!r}"
    if registered not in (None, name):
        called += f", registered as {registered!r}"
    if module:
        called += f", from the module {module}"
    return Finding(called, where, _remedy_for_unknown(name, registered, module, root), unsafe=False)


def _remedy_for_unknown(name: str, registered: str | None, module: str | None, root: str) -> str:
    if root in allowed.HUB:
        return "install Keras Hub: pip install keras-hub"
    if (registered or name).startswith("exporter>"):
        return "install the version of keras-exporter that the model was made with"
    return (
        f"if it is yours, name the module that defines it: --custom {module or 'PKG.MODULE'} on the command line, "
        f"custom_objects={{{registered or name!r}: {name.rpartition('>')[-1]}}} in Python"
    )


def not_named(name: str, thing: object, where: str) -> Finding:
    """Something that an imported package has registered, and nobody asked for."""
    kind, module = _described(thing)
    what = f"{name!r} is the registered name of {kind} {module}.{_called(thing)}, which you did not name"
    return Finding(what, where, _name_it(name, thing), "CVE-2025-1550")


def called(name: str, thing: object, where: str) -> Finding:
    """Something that would be called with arguments of the file's choice."""
    kind, module = _described(thing)
    what = f"{kind} {module}.{_called(thing)} would be called with arguments that the file chooses"
    remedy = _TRUST if isinstance(thing, type) else _name_it(name, thing)
    return Finding(what, where, remedy, "CVE-2025-1550")


def misplaced(name: str, demand: Demand | None, where: str) -> Finding:
    """A class or function of another kind than belongs there."""
    if demand is MODEL:
        return Finding(f"{name!r} stands where a model belongs", where, "give the file of a whole model", unsafe=False)
    wanted = demand.what if demand is not None else "value"
    return Finding(f"{name!r} stands where the kind {wanted} belongs", where, _TRUST)


def _described(thing: object) -> tuple[str, str]:
    kind = "the class" if isinstance(thing, type) else "the function"
    return kind, str(getattr(thing, "__module__", None) or "an unknown module")


def _called(thing: object) -> str:
    return str(getattr(thing, "__qualname__", None) or type(thing).__name__)


def _name_it(name: str, thing: object) -> str:
    _, module = _described(thing)
    return f"if the model is to use it, name it: custom_objects={{{name!r}: {_called(thing)}}}, or --custom {module}; {_TRUST}"


def path_argument(key: str, value: str, where: str) -> Finding:
    """A vocabulary given as a path."""
    return Finding(
        f"{key} is the path {value!r}: building the layer would read that file",
        where,
        f"give the layer its {key} as a list before saving; {_TRUST}",
        "CVE-2025-12058",
    )


def traversal(name: str, where: str) -> Finding:
    """A layer name that would lead out of a folder, once it is part of a path."""
    return Finding(f"the name {name!r} leads out of its folder", where, "rename the layer", "CVE-2026-12479")
