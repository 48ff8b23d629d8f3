"""Leave out reshapes that lead back to a shape that the tensor had before, and those between two others.

A squeeze-and-excitation that pools to (batch, channels) and reshapes for its 1x1 convolutions is back at what the pooling gave.
ONNX Runtime then keeps the blocked layout of its convolutions, sees that the batch stays the same, and adds skip connections
inside of convolutions: EfficientNetB0 1.01 times as fast, MobileNetV3Small 1.03 (1.32, one thread).
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Shape

KINDS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")


def eliminate_reshapes(graph: ir.Graph, g: Graph) -> None:
    """Take values from as far before a chain of reshapes as they are the same.

    Args:
        graph: the model's, written by `g`.
        g: knows the shapes of its values.
    """
    for node in graph:
        if node.op_type in KINDS and not node.domain and not node.outputs[0].is_graph_output():
            _shorten(node, g)


def _shorten(node: ir.Node, g: Graph) -> None:
    """Replace the result of a reshape by an equal value before it; else reshape the first value of the chain."""
    wanted = _shape(node.outputs[0], g)
    if wanted is None:
        return
    first = node.inputs[0]
    for value in _before(node):
        shape = _shape(value, g)
        if shape == wanted and shape.count(None) <= 1 and 0 not in shape:
            ir.convenience.replace_all_uses_with(node.outputs[0], value)
            return
        first = value
    if node.op_type == "Reshape" and _is_absolute(node.inputs[1]):
        node.replace_input_with(0, first)


def _before(node: ir.Node) -> Iterator[ir.Value]:
    """Yield the values that the chain of reshapes before and with `node` starts from, backwards."""
    current: ir.Node | None = node
    while current is not None and current.op_type in KINDS and not current.domain:
        source = current.inputs[0]
        if source is None:
            return
        yield source
        current = source.producer()


def _shape(value: ir.Value, g: Graph) -> Shape | None:
    known = g.filed(value)
    return None if known is None else known.shape


def _is_absolute(target: ir.Value | None) -> bool:
    """Whether the new shape is a constant that takes no axis over from the old one."""
    return target is not None and target.const_value is not None and 0 not in target.const_value.numpy()
