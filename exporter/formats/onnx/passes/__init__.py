"""Tidy up the graph that the lowerings wrote, of which each saw one layer or op only.

What was written twice is merged, what was spelled out is fused, reshapes that lead nowhere are left out, slices are taken
early, and what nothing needs is removed.
"""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes import common as passes

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.layer_map import LayerMap, is_reader
from exporter.formats.onnx.opset import NEWEST
from exporter.formats.onnx.passes.conv1d_as_conv2d import compute_sequences_as_images
from exporter.formats.onnx.passes.fusion import fuse
from exporter.formats.onnx.passes.identities import remove_identities
from exporter.formats.onnx.passes.reshapes import leave_out_reshapes
from exporter.formats.onnx.passes.slice_motion import take_slices_early


def tidy(graph: ir.Graph, layers: LayerMap, g: Graph) -> None:
    """Tidy up.

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
        compute_sequences_as_images(graph, g)
        leave_out_reshapes(graph, g)
        take_slices_early(graph, g)
        _remove_forms_given_up(graph)
    for name, value in g.initializers.items():
        graph.initializers.setdefault(name, value)  # numbers that what was written last takes
    passes.RemoveUnusedNodesPass()(model)


def _remove_forms_given_up(graph: ir.Graph) -> None:
    """Remove the nodes that nothing takes the results of, so that the layer map does not count them among the takers."""
    for node in reversed(graph):
        if not is_reader(node) and not any(output.uses() or output.is_graph_output() for output in node.outputs):
            graph.remove(node, safe=True)
