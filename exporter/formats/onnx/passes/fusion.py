"""Put the fusions of `exporter.formats.onnx.fusions` in place of the steps that they stand for, in the finished graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.fusions.registry import FUSIONS, Fusion
from exporter.formats.onnx.layer_map import is_reader, let_go


def fuse(model: ir.Model, g: Graph) -> None:
    """Write what fuses better in place of the steps.

    Args:
        model: the graph, written by `g`.
        g: holds what is known of its values, and writes what replaces them.
    """
    for graph in (model.graph, *model.graph.subgraphs()):
        done: set[ir.Node] = set()
        for node in reversed(list(graph)):  # the whole of a function before its parts
            if node not in done and not node.domain and node.outputs[0].dtype == ir.DataType.FLOAT:
                done.update(_fused(model, graph, node, g))


def _fused(model: ir.Model, graph: ir.Graph, node: ir.Node, g: Graph) -> list[ir.Node]:
    """Replace what ends in `node` if a fusion matches; return the nodes that it stood for."""
    for fusion in FUSIONS:
        for rule in fusion.rules(node.op_type):
            match = rule.match(model, graph, node, check_nodes_are_removable=False)
            if match and _only_used_inside(match.nodes, node) and _replace(fusion, match.bindings, node, graph, g):
                _remove(match.nodes, graph)
                return list(match.nodes)
    return []


def _remove(nodes: Sequence[ir.Node], graph: ir.Graph) -> None:
    for node in nodes:
        let_go(node.outputs[0])
    graph.remove(nodes, safe=True)


def _only_used_inside(nodes: Sequence[ir.Node], last: ir.Node) -> bool:
    """Whether nothing but `nodes` needs what they compute, apart from the result of the last one."""
    outputs = [output for node in nodes if node is not last for output in node.outputs]
    return not any(output.is_graph_output() for output in outputs) and all(
        user in nodes or is_reader(user) for output in outputs for user, _ in output.uses()
    )


def _replace(fusion: Fusion, bindings: Mapping[str, ir.Value], last: ir.Node, graph: ir.Graph, g: Graph) -> bool:
    scope = (last.name or "").rpartition("/")[0]
    with g.scratch_nodes(scope) as nodes:
        result = fusion.written(g, bindings)
    if result is None:
        return False
    graph.insert_before(last, nodes)
    _take_place(result, last.outputs[0])
    return True


def _take_place(result: Value, old: ir.Value) -> None:
    new = result.ir
    assert new is not None
    new.name, new.shape, new.type = old.name, old.shape, old.type
    ir.convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)
