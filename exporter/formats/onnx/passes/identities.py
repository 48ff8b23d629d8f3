"""Remove Identity nodes that do nothing but rename.

onnx-ir's own pass gives two outputs of the same value one name; here each output keeps its own.
"""

from __future__ import annotations

import onnx_ir as ir


def remove_identities(model: ir.Model) -> None:
    """Remove every Identity that is not needed to give an output a name of its own, in the graph and its bodies."""
    for graph in (model.graph, *model.graph.subgraphs()):
        for node in list(graph):
            if node.op_type == "Identity" and not node.domain:
                _remove(graph, node)


def _remove(graph: ir.Graph, node: ir.Node) -> None:
    source, output = node.inputs[0], node.outputs[0]
    assert source is not None
    if output.is_graph_output():
        producer = source.producer()
        if producer is None or producer.graph is not graph or source.is_graph_output():
            return  # an input, an initializer, an outer value, or an output already: it has a name that must stay
        source.name, source.shape, source.type = output.name, output.shape, output.type
        for position, candidate in enumerate(graph.outputs):
            if candidate is output:
                graph.outputs[position] = source
    ir.convenience.replace_all_uses_with(output, source)
    graph.remove(node, safe=True)
