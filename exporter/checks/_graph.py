"""What the graph of a model holds: the ops that its outputs depend on, inside loops and branches too, and what it assigns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.capture.inference import Inference
from exporter.tfgraph.ancestors import tensors_behind

BRANCHES = frozenset(
    {"Case", "If", "StatelessCase", "StatelessIf"}
)  # their first input chooses; their functions do not see it


@dataclass(frozen=True)
class Operation:
    """An op of the model's own graph.

    Args:
        name: with the scopes of the layers.
        types: its type, and those of the ops in the functions that it calls.
        needed: whether an output depends on what it gives.
        written: the resources that it assigns, which an output depends on.
    """

    name: str
    types: frozenset[str]
    needed: bool
    written: tuple[Any, ...] = ()


@dataclass(frozen=True)
class _Functions:
    """The functions that a graph calls."""

    definitions: Mapping[str, Any]
    _types: dict[str, frozenset[str]] = field(default_factory=dict)
    _written: dict[str, frozenset[int]] = field(default_factory=dict)

    def called_by(self, node: Any) -> list[str]:
        """Return the names of the functions that a node calls."""
        listed = [f.name for a in node.attr.values() for f in (a.func, *a.list.func) if f.name]
        return [name for name in (*listed, node.op) if name in self.definitions]

    def types_in(self, node: Any) -> frozenset[str]:
        """Return the type of a node and of all nodes in the functions that it calls."""
        return frozenset({node.op}).union(*(self._types_of(name) for name in self.called_by(node)))

    def written_by(self, node: Any) -> frozenset[int]:
        """Return which inputs of a node are resources that it assigns."""
        if _assigns(node.op):
            return frozenset({0})
        skipped = 1 if node.op in BRANCHES else 0
        return frozenset(index + skipped for name in self.called_by(node) for index in self._written_of(name))

    def _types_of(self, name: str) -> frozenset[str]:
        if name not in self._types:
            self._types[name] = frozenset()  # of a function that calls itself
            nodes = self.definitions[name].node_def
            self._types[name] = frozenset().union(*(self.types_in(node) for node in nodes))
        return self._types[name]

    def _written_of(self, name: str) -> frozenset[int]:
        if name not in self._written:
            self._written[name] = frozenset()
            definition = self.definitions[name]
            places = {argument.name: index for index, argument in enumerate(definition.signature.input_arg)}
            found = [
                places.get(node.input[index].partition(":")[0])
                for node in definition.node_def
                for index in self.written_by(node)
            ]
            self._written[name] = frozenset(index for index in found if index is not None)
        return self._written[name]


def operations(inference: Inference) -> Iterator[Operation]:
    """Yield the ops of the model's graph, traced for inference.

    Raises:
        UnsupportedError: if Keras cannot trace the model.
    """
    graph = inference.concrete().graph
    functions = _Functions({f.signature.name: f for f in graph.as_graph_def().library.function})
    read = tensors_behind(graph.outputs)
    for op in graph.get_operations():
        written = [op.inputs[index] for index in functions.written_by(op.node_def)]
        yield Operation(
            op.name,
            functions.types_in(op.node_def),
            any(t.name in read for t in op.outputs),
            tuple(resource for resource in written if resource.name in read),
        )


def variable_of(inference: Inference, resource: Any) -> Any:
    """Return the variable whose handle a graph has captured as `resource`; None if it is another kind of resource."""
    graph = inference.concrete().graph
    handles = {placeholder.name: tensor for tensor, placeholder in graph.captures}
    handle = handles.get(resource.name)
    return next((v for v in graph.variables if v.handle is handle), None)


def _assigns(op_type: str) -> bool:
    return op_type.startswith("ResourceScatter") or (op_type.startswith("Assign") and op_type.endswith("VariableOp"))
