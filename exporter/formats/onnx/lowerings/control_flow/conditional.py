"""Branches: If. A branch that is known while exporting is written in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Shape, Value
from exporter.formats.onnx.lowerings.control_flow.tensor_list import Rows
from exporter.formats.onnx.registry import lowers_op

Branch = Callable[[Graph], list[Any]]


def function_graph(op: Any, name: str) -> Any:
    """Return the graph of the function `name` that an attribute of `op` refers to."""
    function = op.graph._get_function(name)
    if hasattr(function, "graph"):
        return function.graph
    from tensorflow.python.framework import function_def_to_graph

    with op.graph.as_default():
        return function_def_to_graph.function_def_to_graph(function.cached_definition)


def walked(g: Graph, graph: Any, arguments: Sequence[Any]) -> list[Any]:
    """Write a function of TensorFlow into `g`, given its arguments; return its results."""
    assert g.walk is not None
    return g.walk(g, graph, arguments)


@lowers_op("If", "StatelessIf")
def conditional(g: Graph, op: Any, condition: Value, *arguments: Any) -> list[Any]:
    """If, unless the condition is known."""
    then, other = (_branch(op, op.get_attr(f"{name}_branch").name, arguments) for name in ("then", "else"))
    chosen = g.cast(condition, ir.DataType.BOOL)
    if isinstance(chosen, Constant):
        return then(g) if chosen.array.item() else other(g)
    return branched(g, chosen, then, other)


@lowers_op("Case", "StatelessCase")
def switch(g: Graph, op: Any, index: Value, *arguments: Any) -> list[Any]:
    """A chain of Ifs; an index out of range means the last branch."""
    branches = [_branch(op, f.name, arguments) for f in op.get_attr("branches")]
    if isinstance(index, Constant):
        place = int(index.array)
        return branches[place if 0 <= place < len(branches) else -1](g)
    return _chain(index, branches, 0)(g)


def _chain(index: Value, branches: Sequence[Branch], first: int) -> Branch:
    if first == len(branches) - 1:
        return branches[first]

    def chosen(g: Graph) -> list[Any]:
        here = g.op("Equal", index, g.constant(first, index.numpy_dtype))
        return branched(g, here, branches[first], _chain(index, branches, first + 1))

    return chosen


def _branch(op: Any, name: str, arguments: Sequence[Any]) -> Branch:
    return lambda g: walked(g, function_graph(op, name), arguments)


def branched(g: Graph, condition: Value, then: Branch, other: Branch) -> list[Any]:
    """Write If; both branches must return as many tensors, or lists of some, of the same dtypes and ranks."""
    bodies = [g.body(), g.body()]
    given = [branch(body) for branch, body in zip((then, other), bodies, strict=True)]
    lists = [isinstance(a, Rows) and isinstance(b, Rows) for a, b in zip(*given, strict=True)]
    results = [[v.value if listed else v for v, listed in zip(values, lists, strict=True)] for values in given]
    for a, b in zip(*results, strict=True):
        if not (isinstance(a, Value) and isinstance(b, Value)):
            raise NotImplementedError("a branch that returns anything but tensors")
        if a.rank != b.rank:
            raise NotImplementedError("branches that return tensors of different ranks")
    outputs = [(_common(a.shape, b.shape), a.dtype) for a, b in zip(*results, strict=True)]
    graphs = [body.finish_body(name, r) for body, name, r in zip(bodies, ("then", "else"), results, strict=True)]
    written = g.ops("If", condition, outputs=outputs, then_branch=graphs[0], else_branch=graphs[1])
    return [Rows(v) if listed else v for v, listed in zip(written, lists, strict=True)]


def _common(a: Shape, b: Shape) -> Shape:
    return tuple(m if m == n else None for m, n in zip(a, b, strict=True))
