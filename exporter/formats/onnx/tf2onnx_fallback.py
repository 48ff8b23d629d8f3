"""What has no lowering of ours: one TensorFlow op, converted by tf2onnx and put in its place.

tf2onnx's own handlers leave ops in the file that ONNX does not have, write invalid graphs or wrong ones, and report success. So
what it makes of an op is looked at, run, and compared with TensorFlow before it is put in (`fallback_check.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.tf2onnx_check import check_converted

OPSET = 18  # the newest that tf2onnx knows


def convert_op(g: Graph, op: Any, inputs: Sequence[Any]) -> list[Value]:
    """Write `op` as tf2onnx converts it.

    Raises:
        NotImplementedError: if tf2onnx has no valid form of it either.
    """
    if not all(isinstance(value, Value) for value in inputs) or not g.supports_opset(OPSET):
        raise NotImplementedError(f"there is no lowering for the TensorFlow op {op.type}")
    proto = _converted(op, inputs)
    model = ir.from_proto(proto)
    if not all(_portable(node) for node in model.graph.all_nodes()):
        raise NotImplementedError(f"there is no lowering for the TensorFlow op {op.type}")
    check_converted(op, inputs, proto)
    fed = [g.keras_order(value) for value in inputs if not isinstance(value, Constant)]
    return _inlined(g, op, model.graph, fed)


def _portable(node: ir.Node) -> bool:
    """Whether ONNX has such an op."""
    import onnx

    return not node.domain and onnx.defs.has(node.op_type)


def _converted(op: Any, inputs: Sequence[Value]) -> Any:
    """Return the model that tf2onnx makes of `op` alone, with the constants among its inputs built in."""
    import tensorflow as tf
    import tf2onnx

    def alone(*tensors: Any) -> Any:
        given = iter(tensors)
        fed = [
            tf.constant(v.array.astype(t.dtype.as_numpy_dtype)) if isinstance(v, Constant) else next(given)
            for v, t in zip(inputs, op.inputs, strict=True)
        ]
        graph = tf.compat.v1.get_default_graph()
        return graph.create_op(op.type, fed, [o.dtype for o in op.outputs], attrs=dict(op.node_def.attr)).outputs

    computed = [t for v, t in zip(inputs, op.inputs, strict=True) if not isinstance(v, Constant)]
    specs = [tf.TensorSpec(t.shape, t.dtype, name=f"x{n}") for n, t in enumerate(computed)]
    try:
        function = tf.function(alone, autograph=False, input_signature=specs)
        proto, _ = tf2onnx.convert.from_function(function, input_signature=specs, opset=OPSET)
    except Exception as error:  # tf2onnx raises whatever its handlers raise
        raise NotImplementedError(f"there is no lowering for the TensorFlow op {op.type}, and tf2onnx fails") from error
    return proto


def _inlined(g: Graph, op: Any, graph: ir.Graph, fed: Sequence[Value]) -> list[Value]:
    """Move the nodes of `graph`, with their bodies, into `g`, its inputs replaced by `fed`."""
    known: dict[ir.Value, ir.Value] = {}
    for value, given in zip(graph.inputs, fed, strict=True):
        known[value] = g.written(given)
    for name, initializer in graph.initializers.items():
        tensor = initializer.const_value
        assert tensor is not None
        known[initializer] = g.written(g.constant(tensor.numpy(), name=f"{g.scope}/{name}"))
    outputs = [known.get(output, output) for output in graph.outputs]
    for old, new in known.items():
        ir.convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)
    for node in graph.all_nodes():
        _renamed(g, node)
    nodes = list(graph)
    graph.outputs.clear()
    graph.remove(nodes)
    g.nodes.extend(nodes)
    return [_adopted(g, value, tensor) for value, tensor in zip(outputs, op.outputs, strict=True)]


def _renamed(g: Graph, node: ir.Node) -> None:
    """Give a node, what it returns and what its bodies take names that nothing else has."""
    node.name = g.unique(f"{g.scope}/{node.op_type}" if g.scope else node.op_type)
    for position, output in enumerate(node.outputs):
        output.name = f"{node.name}:{position}"
    for attribute in node.attributes.values():
        if attribute.type == ir.AttributeType.GRAPH:
            for position, value in enumerate(attribute.as_graph().inputs):
                value.name = f"{node.name}/{attribute.name}:{position}"


def _adopted(g: Graph, value: ir.Value, tensor: Any) -> Value:
    if tensor.shape.rank is None and value.shape is None:
        raise NotImplementedError(f"the number of axes of what {tensor.op.type} returns is not known while exporting")
    shape = tensor.shape.as_list() if tensor.shape.rank is not None else [None] * len(value.shape or ())
    return g.adopted(value, tuple(shape), ir.DataType.from_numpy(np.dtype(tensor.dtype.as_numpy_dtype)))
