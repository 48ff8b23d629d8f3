"""What is lowered to TFLite, and by which function: Keras layers, functions of Keras's backend, TensorFlow ops.

A lowering replaces one of three things:

* the `call` of a Keras layer class (`lowers_layer`) or a function of Keras's TensorFlow backend (`lowers_function`),
  while a model is traced for TFLite (see `exporter.capture.patching`); it receives the original and may decline by
  calling it;
* a TensorFlow op, wherever it comes from, in the traced graph (`lowers_op`, see `lower`); it receives the op, for
  its attributes and static shapes, and the new inputs, and may decline by returning NotImplemented.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exporter.capture.patching import Replacement
from exporter.registry import Registry, import_submodules

# Ops that write a variable. A file has none: they are left out once it is known that nothing reads what they write.
ASSIGNMENTS = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")

LAYERS: Registry[tuple[type, Replacement]] = Registry("TFLite lowering of layer")
FUNCTIONS: Registry[Replacement] = Registry("TFLite lowering of function")
OPS: Registry[tuple[int, Replacement]] = Registry("TFLite lowering of op")


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


def lowers_op(*types: str, priority: int = 0) -> Callable[[Replacement], Replacement]:
    """Register `replacement(op, *inputs)` for types of TensorFlow ops ("Log1p"); it returns a tensor or a list of them.

    Args:
        types: types of ops. A type may have several lowerings, of different priorities.
        priority: those of a higher one are asked first, until one does not decline.
    """

    def enter(replacement: Replacement) -> Replacement:
        for op_type in types:
            OPS.register(f"{op_type}, priority {priority}")((priority, replacement))
        return replacement

    return enter


def op_lowerings() -> dict[str, list[Replacement]]:
    """Return the replacements of ops, by type, those that are asked first before the others."""
    _import_all()
    found: dict[str, list[Replacement]] = {}
    for name, (_, replacement) in sorted(OPS.items(), key=lambda item: -item[1][0]):
        found.setdefault(name.partition(",")[0], []).append(replacement)
    return found


def replacements() -> tuple[dict[type, Replacement], dict[str, Replacement]]:
    """Return every lowering for TFLite, as `exporter.capture.patching.overridden` takes them."""
    _import_all()
    layers: dict[type, Any] = dict(LAYERS.values())
    return layers, dict(FUNCTIONS)


def replaced_functions() -> set[str]:
    """Return the names of all functions of Keras that are replaced, as `exporter.capture.patching` takes them."""
    return set(replacements()[1])


def _import_all() -> None:
    for package in ("lowerings", "fusions"):
        import_submodules(f"exporter.formats.tflite.{package}")
