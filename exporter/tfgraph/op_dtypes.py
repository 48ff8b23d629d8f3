"""Which dtypes a TensorFlow op takes under given attributes, and whether the CPU has a kernel for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def input_types(op_def: Any, attrs: Mapping[str, Any]) -> list[int]:
    """Return the dtypes that an op takes under `attrs`, one per tensor."""
    types: list[int] = []
    for arg in op_def.input_arg:
        if arg.type_list_attr:
            types += attrs[arg.type_list_attr].list.type
        else:
            dtype = attrs[arg.type_attr].type if arg.type_attr else arg.type
            types += [dtype] * (attrs[arg.number_attr].i if arg.number_attr else 1)
    return types


def has_kernel(op_def: Any, attrs: Mapping[str, Any]) -> bool:
    """Whether the op is defined, and has a CPU kernel, for the dtypes in `attrs`."""
    for attr in op_def.attr:
        allowed = attr.allowed_values.list.type
        if allowed and attr.type == "type" and attrs[attr.name].type not in allowed:
            return False
    kernels = _kernels(op_def.name)
    return not kernels or any(all(_allows(c, attrs) for c in kernel) for kernel in kernels)


def _allows(constraint: tuple[str, frozenset[int]], attrs: Mapping[str, Any]) -> bool:
    name, allowed = constraint
    value = attrs[name]
    return not allowed or set(value.list.type or [value.type]) <= allowed


@lru_cache
def _kernels(op_type: str) -> tuple[tuple[tuple[str, frozenset[int]], ...], ...]:
    """Return the dtype constraints of each CPU kernel; empty if the op has none (function calls)."""
    from tensorflow.python.framework import kernels

    return tuple(
        tuple((c.name, frozenset(c.allowed_values.list.type)) for c in kernel.constraint)
        for kernel in kernels.get_registered_kernels_for_op(op_type).kernel
        if kernel.device_type in ("CPU", "DEFAULT")
    )
