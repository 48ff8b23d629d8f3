"""Which element types ONNX Runtime computes an op in, and the wider type to compute in where it has no kernel.

The standard allows more than the runtime has: `Where` on int16, `Relu` on int64, `Tan` on float64. The table is the
installed runtime's own, so it cannot go stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import onnx
from onnx_ir import DataType

OLDEST = 13
# Types that hold every value of a type, the cheapest first. Arithmetic modulo 2^n survives the way back.
WIDER: Mapping[DataType, tuple[DataType, ...]] = {
    DataType.BOOL: (DataType.UINT8, DataType.INT32, DataType.FLOAT),
    DataType.INT8: (DataType.INT32, DataType.INT64, DataType.FLOAT),
    DataType.UINT8: (DataType.INT32, DataType.INT64, DataType.FLOAT),
    DataType.INT16: (DataType.INT32, DataType.INT64, DataType.FLOAT),
    DataType.UINT16: (DataType.INT32, DataType.INT64, DataType.FLOAT),
    DataType.INT32: (DataType.INT64, DataType.DOUBLE),
    DataType.UINT32: (DataType.INT64, DataType.DOUBLE),
    DataType.FLOAT16: (DataType.FLOAT,),
    DataType.BFLOAT16: (DataType.FLOAT,),
}


@dataclass(frozen=True)
class Promotion:
    """How to run an op that has no kernel for the types at hand.

    Args:
        inputs: the type to cast each input to; None to leave it.
        outputs: the type that each output then has; None where it does not follow the inputs. The last one repeats.
    """

    inputs: tuple[DataType | None, ...]
    outputs: tuple[DataType | None, ...]

    def output(self, position: int) -> DataType | None:
        """Return the type that output `position` is computed in, None where it is as it should be."""
        return self.outputs[min(position, len(self.outputs) - 1)]


@lru_cache(maxsize=4096)
def promotion(kind: str, domain: str, opset: int, types: tuple[DataType | None, ...]) -> Promotion | None:
    """Return how to run `kind` on inputs of `types`; None if ONNX Runtime takes them as they are.

    Args:
        kind: the op type.
        domain: of the op.
        opset: the newest that may be used.
        types: of the inputs; None for one that is left out.

    Raises:
        NotImplementedError: if ONNX Runtime has no kernel that could stand in.
    """
    versions = _versions(kind, domain, opset)
    if not versions:
        return None
    schema = versions[-1][0]
    names = [_type_parameter(schema, position) for position in range(len(types))]
    chosen: dict[str, DataType] = {}
    for name, dtype in zip(names, types, strict=True):
        if name and dtype is not None and name not in chosen:
            chosen[name] = _runnable(versions, kind, name, dtype)
    inputs = tuple(
        chosen[name] if name in chosen and dtype not in (None, chosen[name]) else None
        for name, dtype in zip(names, types, strict=True)
    )
    if not any(inputs):
        return None
    lifted = {name for name, dtype in zip(names, inputs, strict=True) if dtype is not None}
    return Promotion(inputs, tuple(chosen[o.type_str] if o.type_str in lifted else None for o in schema.outputs))


def _runnable(versions: Sequence[_Version], kind: str, name: str, dtype: DataType) -> DataType:
    """Return the first of `dtype` and the types wider than it that has a kernel."""
    for candidate in (dtype, *WIDER.get(dtype, ())):
        if _has_kernel(versions, name, candidate):
            return candidate
    raise NotImplementedError(f"ONNX Runtime has no {dtype.name.lower()} kernel for {kind}")


_Version = tuple[Any, Mapping[str, frozenset[str]]]  # schema, and the types of each type parameter that have a kernel


def _has_kernel(versions: Sequence[_Version], name: str, dtype: DataType) -> bool:
    """Whether every opset that allows `dtype` for a type parameter has a kernel for it, and there is such an opset."""
    text = f"tensor({dtype.name.lower()})"
    answers = [text in kernels[name] for schema, kernels in versions if name in kernels and _allows(schema, name, text)]
    constrained = any(name in kernels for _, kernels in versions)
    return all(answers) and (bool(answers) or not constrained)


def _allows(schema: Any, name: str, text: str) -> bool:
    for constraint in schema.type_constraints:
        if constraint.type_param_str == name:
            return text in constraint.allowed_type_strs
    return name == text


def _type_parameter(schema: Any, position: int) -> str:
    """Return the type parameter of an input; "" for those that may have any type (what a Loop carries)."""
    last = len(schema.inputs) - 1
    formal = schema.inputs[min(position, last)]
    variadic = formal.option == onnx.defs.OpSchema.FormalParameterOption.Variadic
    if (position > last and not variadic) or (variadic and not formal.is_homogeneous):
        return ""
    return formal.type_str


@lru_cache(maxsize=1024)
def _versions(kind: str, domain: str, opset: int) -> tuple[_Version, ...]:
    """Return the versions of an op from opset 13 to `opset`; none if it runs as a function of other ops."""
    if domain:
        return ()
    found: dict[int, _Version] = {}
    for number in range(OLDEST, opset + 1):
        if not onnx.defs.has(kind, max_inclusive_version=number):
            continue
        schema = onnx.defs.get_schema(kind, number)
        kernels = _kernel_types(kind, number)
        if kernels and schema.since_version not in found:
            found[schema.since_version] = (schema, kernels)
    return tuple(found.values())


def _kernel_types(kind: str, opset: int) -> Mapping[str, frozenset[str]]:
    types: dict[str, frozenset[str]] = {}
    for first, last, constraints in _kernels().get(kind, ()):
        if first <= opset <= last:
            for name, allowed in constraints.items():
                types[name] = types.get(name, frozenset()) | frozenset(allowed)
    return types


@lru_cache(maxsize=1)
def _kernels() -> Mapping[str, tuple[tuple[int, int, Mapping[str, Sequence[str]]], ...]]:
    """Return the CPU kernels of the installed ONNX Runtime: first and last opset, and types by type parameter."""
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime

    table: dict[str, list[tuple[int, int, Mapping[str, Sequence[str]]]]] = {}
    for kernel in runtime.get_all_opkernel_def():
        if not kernel.domain and kernel.provider == "CPUExecutionProvider":
            table.setdefault(kernel.op_name, []).append((*kernel.version_range, kernel.type_constraints))
    return {name: tuple(kernels) for name, kernels in table.items()}
