"""Lowerings to TFLite: formulations that the converter maps to builtin or fused ops, one family per file.

A lowering replaces one of three things:

* the `call` of a Keras layer class (`lowers_layer`) or a function of Keras's TensorFlow backend (`lowers_function`),
  while a model is traced for TFLite (see `exporter.lowerings.override`); it receives the original and may decline by
  calling it;
* a TensorFlow op, wherever it comes from, in the traced graph (`lowers_op`, see `rewriting`); it receives the op, for
  its attributes and static shapes, and the new inputs, and may decline by returning NotImplemented.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exporter.lowerings.override import Replacement
from exporter.registry import Registry, import_submodules

# Ops that write a variable. A file has none: they are left out once it is known that nothing reads what they write.
ASSIGNMENTS = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")

LAYERS: Registry[tuple[type, Replacement]] = Registry("TFLite lowering of layer")
FUNCTIONS: Registry[Replacement] = Registry("TFLite lowering of function")
OPS: Registry[Replacement] = Registry("TFLite lowering of op")


def lowers_layer(*classes: type) -> Callable[[Replacement], Replacement]:
    """Register `replacement(original, layer, *args, **kwargs)` for the `call` of Keras layer classes."""

    def enter(replacement: Replacement) -> Replacement:
        for cls in classes:
            LAYERS.register(f"{cls.__module__}.{cls.__qualname__}")((cls, replacement))
        return replacement

    return enter


def lowers_function(*names: str) -> Callable[[Replacement], Replacement]:
    """Register `replacement(original, *args, **kwargs)` for functions of the backend ("nn.softplus", "numpy.roll")."""
    return FUNCTIONS.register(*names)


def lowers_op(*types: str) -> Callable[[Replacement], Replacement]:
    """Register `replacement(op, *inputs)` for types of TensorFlow ops ("Log1p"); it returns a tensor or a list of them.

    An op type may have several: they are asked in the order of their modules' names until one does not decline.
    """

    def enter(replacement: Replacement) -> Replacement:
        for op_type in types:
            OPS.register(f"{op_type} in {replacement.__module__}")(replacement)
        return replacement

    return enter


def op_lowerings() -> dict[str, list[Replacement]]:
    """Return the replacements of ops, by type."""
    import_submodules(__name__)
    found: dict[str, list[Replacement]] = {}
    for name in sorted(OPS):
        found.setdefault(name.partition(" ")[0], []).append(OPS[name])
    return found


def replacements() -> tuple[dict[type, Replacement], dict[str, Replacement]]:
    """Return every lowering for TFLite, as `exporter.lowerings.override.overridden` takes them."""
    import_submodules(__name__)
    layers: dict[type, Any] = dict(LAYERS.values())
    return layers, dict(FUNCTIONS)
