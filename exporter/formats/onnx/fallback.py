"""What has no lowering of ours: one TensorFlow op, converted by tf2onnx and put in its place.

tf2onnx's own handlers leave ops in the file that ONNX does not have, and report success. Here that is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.value import Constant, Value

OPSET = 18  # the newest that tf2onnx knows


def convert_op(g: Graph, op: Any, inputs: Sequence[Any]) -> list[Value]:
    """Write `op` as tf2onnx converts it.

    Raises:
        NotImplementedError: if tf2onnx has no valid form of it either.
    """
    if not all(isinstance(value, Value) for value in inputs) or not g.wants(OPSET):
        raise NotImplementedError(f"there is no lowering for the TensorFlow op {op.type}")
    model = _converted(op, inputs)
    if not all(_portable(node) for node in model.graph):
        raise NotImplementedError(f"there is no lowering for the TensorFlow op {op.type}")
    fed = [g.keras_order(value) for value in inputs if not isinstance(value, Constant)]
    return _inlined(g, op, model.graph, fed)


def _portable(node: ir.Node) -> bool:
    """Whether ONNX has such an op, and the node has no body that would need walking."""
    import onnx

    bodies = any(a.type in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS) for a in node.attributes.values())
    return not node.domain and onnx.defs.has(node.op_type) and not bodies


def _converted(op: Any, inputs: Sequence[Value]) -> ir.Model:
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
    return ir.from_proto(proto)


def _inlined(g: Graph, op: Any, graph: ir.Graph, fed: Sequence[Value]) -> list[Value]:
    """Write the nodes of `graph` into `g`, its inputs replaced by `fed`."""
    known: dict[ir.Value | None, ir.Value | None] = {None: None}
    known.update(zip(graph.inputs, (value.ir for value in fed), strict=True))
    for name, initializer in graph.initializers.items():
        tensor = initializer.const_value
        assert tensor is not None
        known[initializer] = g.written(g.constant(tensor.numpy(), name=f"{g.scope}/{name}"))
    for node in graph:
        copied = ir.Node(
            node.domain,
            node.op_type,
            [known[i] for i in node.inputs],
            list(node.attributes.values()),
            num_outputs=len(node.outputs),
            name=g.unique(f"{g.scope}/{node.op_type}"),
        )
        for position, (old, new) in enumerate(zip(node.outputs, copied.outputs, strict=True)):
            new.name = f"{copied.name}:{position}"
            known[old] = new
        g.nodes.append(copied)
    results = []
    for old, tensor in zip(graph.outputs, op.outputs, strict=True):
        result = known[old]
        assert result is not None
        results.append(
            g.adopted(
                result, tuple(tensor.shape.as_list()), ir.DataType.from_numpy(np.dtype(tensor.dtype.as_numpy_dtype))
            )
        )
    return results
