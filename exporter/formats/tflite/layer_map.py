"""Which layer of the model LiteRT means when it does not take a node of a file: "Node number 3 (TRANSPOSE_CONV) failed"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exporter.capture.layer_scopes import layer_of
from exporter.errors import InvalidArtifactError, UnsupportedError
from exporter.formats.tflite.refusals import DEFAULT_REMEDY

_NODE = re.compile(r"[Nn]ode (?:number |#)?(\d+) \(([A-Z0-9_]+)\)|\b([A-Z][A-Z0-9_]+) (?:node|\(node number)")
_KERNEL = re.compile(r"kernels/(?:\w+/)*(\w+)\.cc")
_AXES = 6  # of a tensor that XNNPACK takes
_TOO_MANY = "merge axes by keras.ops.reshape before the layer: LiteRT's kernels take tensors of at most six axes"


def naming_layers(error: InvalidArtifactError, path: Path, model: Any) -> InvalidArtifactError | UnsupportedError:
    """Return the error to raise where LiteRT does not take a file: with the layers, where the nodes that it names have some."""
    try:
        found = list(_guilty(path.read_bytes(), str(error.reason)))
    except (OSError, ValueError, IndexError, AttributeError):  # not a file that can be read
        return error
    if not found:
        return error
    layers = dict.fromkeys(layer_of(f"{name}/", model) for _, name, _ in found)
    many = max(axes for _, _, axes in found) > _AXES
    return UnsupportedError(
        "LiteRT does not run a part of the model",
        where=", ".join(f"layer {layer!r}" for layer in layers),
        reason=f"{', '.join(dict.fromkeys(op for op, _, _ in found))}: {error.reason}",
        remedy=_TOO_MANY if many else DEFAULT_REMEDY,
    )


def _guilty(content: bytes, message: str) -> Iterator[tuple[str, str, int]]:
    """Give op, name of the result and most axes of each node that a message means: the one it numbers, or all of the op."""
    nodes = list(_nodes(content))
    numbered = {(int(number), op) for number, op, _ in _NODE.findall(message) if number}
    exact = [node for number, node in nodes if (number, node[0]) in numbered]
    if exact:
        yield from exact
        return
    ops = {op for _, _, op in _NODE.findall(message)} | {kernel.upper() for kernel in _KERNEL.findall(message)}
    yield from (node for _, node in nodes if node[0] in ops)


def _nodes(content: bytes) -> Iterator[tuple[int, tuple[str, str, int]]]:
    """Give the number of each node in its subgraph with its op, the name of its result, and its most axes."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator, Model

    names = {number: name for name, number in vars(BuiltinOperator).items() if isinstance(number, int)}
    root = Model.GetRootAs(content)
    codes = [root.OperatorCodes(i) for i in range(root.OperatorCodesLength())]
    ops = [names.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "") for code in codes]
    for graph in map(root.Subgraphs, range(root.SubgraphsLength())):
        for number in range(graph.OperatorsLength()):
            node = graph.Operators(number)
            yield number, (ops[node.OpcodeIndex()], _result(graph, node), _axes(graph, node))


def _result(graph: Any, node: Any) -> str:
    name = graph.Tensors(node.Outputs(0)).Name() if node.OutputsLength() else b""
    return (name or b"").decode(errors="replace").rpartition(";")[2]


def _axes(graph: Any, node: Any) -> int:
    tensors = [node.Inputs(i) for i in range(node.InputsLength())] + [node.Outputs(0)]
    return max((graph.Tensors(i).ShapeLength() for i in tensors if i >= 0), default=0)
