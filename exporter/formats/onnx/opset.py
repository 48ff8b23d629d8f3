"""Which opset a graph needs: the lowest that has all its ops, in the forms and for the types that it uses them in.

Lowerings write reductions in today's form, with the axes as an input. Below opset 18 the axes are an attribute of most of
them; `settle` puts them there, once the opset is known.
"""

from __future__ import annotations

import functools

import onnx
import onnx_ir as ir

OLDEST = 13
NEWEST = onnx.defs.onnx_opset_version()
AXES_AS_INPUT = 18
REDUCTIONS = frozenset(
    f"Reduce{kind}" for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")
)


def lowest_opset(graph: ir.Graph, wanted: int) -> int:
    """Return the lowest opset, at least `wanted`, that holds every node of `graph`."""
    return max([wanted, *(_needed(node) for node in graph.all_nodes() if not node.domain)])


def settle(graph: ir.Graph, opset: int) -> None:
    """Bring the nodes of `graph` into the form that they have in `opset`."""
    if opset >= AXES_AS_INPUT:
        return
    for node in list(graph.all_nodes()):
        if _movable_axes(node):
            axes = node.inputs[1]
            assert axes is not None
            assert axes.const_value is not None
            node.attributes.add(ir.AttrInt64s("axes", [int(a) for a in axes.const_value.numpy()]))
            node.resize_inputs(1)
            if not axes.uses():
                graph.initializers.pop(axes.name or "", None)


def _movable_axes(node: ir.Node) -> bool:
    """Whether the node is a reduction whose axes are a constant input, so that they could be an attribute."""
    if node.op_type not in REDUCTIONS or node.domain or len(node.inputs) != 2:
        return False
    axes = node.inputs[1]
    return axes is not None and axes.const_value is not None


def _needed(node: ir.Node) -> int:
    inputs = node.inputs[:1] if _movable_axes(node) else node.inputs
    types = tuple("" if i is None or i.dtype is None else f"tensor({i.dtype.name.lower()})" for i in inputs)
    return _first_with(node.op_type, types)


@functools.lru_cache(maxsize=4096)
def _first_with(op_type: str, types: tuple[str, ...]) -> int:
    """Return the first opset, from OLDEST on, whose `op_type` takes inputs of these types."""
    for opset in range(OLDEST, NEWEST + 1):
        if onnx.defs.has(op_type, max_inclusive_version=opset) and _takes(onnx.defs.get_schema(op_type, opset), types):
            return opset
    raise AssertionError(f"no opset up to {NEWEST} has {op_type} for {', '.join(types)}")


def _takes(schema: onnx.defs.OpSchema, types: tuple[str, ...]) -> bool:
    formal = list(schema.inputs)
    if formal and formal[-1].option == onnx.defs.OpSchema.FormalParameterOption.Variadic:
        formal += formal[-1:] * (len(types) - len(formal))
    allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    return len(types) <= len(formal) and all(
        not kind or kind in allowed.get(parameter.type_str, [parameter.type_str])
        for kind, parameter in zip(types, formal, strict=False)
    )
