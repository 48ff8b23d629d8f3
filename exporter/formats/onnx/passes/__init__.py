"""Optimize the graph that the lowerings wrote, of which each saw one layer or op only.

What was written twice is merged, what was spelled out is fused, reshapes that lead nowhere are left out, slices are taken
early, and what nothing needs is removed.
"""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes import common as passes

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.layer_map import LayerMap, is_reader
from exporter.formats.onnx.opset import NEWEST
from exporter.formats.onnx.passes.conv1d_as_conv2d import convert_conv1d_to_conv2d
from exporter.formats.onnx.passes.fusion import fuse
from exporter.formats.onnx.passes.identities import remove_identities
from exporter.formats.onnx.passes.reshapes import eliminate_reshapes
from exporter.formats.onnx.passes.slice_motion import hoist_slices


def optimize(graph: ir.Graph, layers: LayerMap, g: Graph) -> None:
    """Run every pass.

    Args:
        graph: the model's.
        layers: follows what replaces the tensors of the layers.
        g: wrote the graph, and writes what is put in its place.
    """
    model = ir.Model(graph, ir_version=10)
    graph.opset_imports[""] = NEWEST
    with layers.followed():
        passes.CommonSubexpressionEliminationPass()(model)
        remove_identities(model)
        fuse(model, g)
        convert_conv1d_to_conv2d(graph, g)
        eliminate_reshapes(graph, g)
        hoist_slices(graph, g)
        _eliminate_dead_code(graph)
    for name, value in g.initializers.items():
        graph.initializers.setdefault(name, value)  # numbers that what was written last takes
    passes.RemoveUnusedNodesPass()(model)


def _eliminate_dead_code(graph: ir.Graph) -> None:
    """Remove the nodes that nothing takes the results of, so that the layer map does not count them among the takers."""
    for node in reversed(graph):
        if not is_reader(node) and not any(output.uses() or output.is_graph_output() for output in node.outputs):
            graph.remove(node, safe=True)
