"""Lower: one walk over the trace, in which the lowering of each marker and op writes the standard's nodes.

What depends on constants alone is computed while exporting. What has no lowering of ours is handed to tf2onnx, op by op.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.errors import UnsupportedError
from exporter.formats.onnx.builder.graph import Graph, tensor_constant
from exporter.formats.onnx.builder.value import Constant, Value
from exporter.formats.onnx.constant_folding import folded
from exporter.formats.onnx.lowerings.control_flow.conditional import function_graph
from exporter.formats.onnx.lowerings.math.complex_numbers import complex_op, is_complex
from exporter.formats.onnx.refusals import refusal, stand_in
from exporter.formats.onnx.registry import OPS
from exporter.formats.onnx.tf2onnx_fallback import convert_op
from exporter.formats.onnx.trace import Marker, Slot, Trace
from exporter.spec import TensorInfo

READERS = ("ResourceGather", "ResourceGatherNd")  # they read a variable, and do more
CALLS = ("PartitionedCall", "StatefulPartitionedCall")


@dataclass(frozen=True)
class Lowered:
    """What became of the trace's tensors.

    Args:
        outputs: the values of the model's outputs, in Keras's axis order.
        values: those of all tensors, by the tensor's `ref()`.
    """

    outputs: list[Value]
    values: Mapping[Any, Any]


def lower(traced: Trace, g: Graph, inputs: Sequence[TensorInfo], dimensions: Sequence[Sequence[Any]]) -> Lowered:
    """Write the traced model into `g`.

    Args:
        traced: the traced model.
        g: an empty graph.
        inputs: names and dtypes of the model's inputs.
        dimensions: their dimensions: ints, or names of dynamic ones.

    Raises:
        UnsupportedError: if something in the model has no counterpart in ONNX; it names the layer and the op.
    """
    fed = []
    for info, dims in zip(inputs, dimensions, strict=True):
        value = g.input(info.name, dims, outer_type(info.dtype))
        fed.append(g.cast(value, computed_type(info.dtype)))
    g.walk = lambda body, graph, arguments: Walk(body, traced).graph(graph, arguments)
    walk = Walk(g, traced)
    outputs = walk.graph(traced.graph, fed)
    if traced.refusals:
        raise UnsupportedError.joined(traced.refusals)
    for value, tensor in zip(outputs, traced.graph.outputs, strict=True):
        if not isinstance(value, Value):
            raise UnsupportedError(
                "an output is not a tensor of real numbers",
                where=traced.name,
                reason=f"it is {tensor.dtype.name}, which ONNX Runtime cannot return",
                remedy="return the real and the imaginary part: ops.real(x), ops.imag(x)",
            )
    return Lowered([g.keras_order(value) for value in outputs], walk.values)


NARROW = (ir.DataType.FLOAT16, ir.DataType.BFLOAT16)


def outer_type(tf_name: str) -> ir.DataType:
    """Return the type of an input or output: float32 for bfloat16, of which ONNX Runtime hands out no arrays."""
    dtype = data_type(tf_name)
    return ir.DataType.FLOAT if dtype == ir.DataType.BFLOAT16 else dtype


def data_type(tf_name: str) -> ir.DataType:
    """Return ONNX's type for the name of a TensorFlow dtype."""
    import tensorflow as tf

    dtype = tf.as_dtype(tf_name)
    if dtype == tf.string:
        return ir.DataType.STRING
    try:
        return ir.DataType.from_numpy(np.dtype(dtype.as_numpy_dtype))
    except (KeyError, TypeError):
        raise UnsupportedError("ONNX has no such type", where=tf_name) from None


def computed_type(tf_name: str) -> ir.DataType:
    """Return the type that a tensor is computed in: floats of 16 bits are computed as float32."""
    dtype = data_type(tf_name)
    return ir.DataType.FLOAT if dtype in NARROW else dtype


@dataclass(frozen=True)
class Handle:
    """A resource of TensorFlow: a variable, or a lookup table."""

    resource: Any


class Walk:
    """The walk over a TensorFlow graph and the graphs that it calls.

    Args:
        g: the ONNX graph to write.
        traced: the markers.
    """

    def __init__(self, g: Graph, traced: Trace) -> None:
        self.g = g
        self.traced = traced
        self.values: dict[Any, Any] = {}

    def graph(self, graph: Any, inputs: Sequence[Value | Handle | None]) -> list[Value]:
        """Walk a FuncGraph with `inputs` for its arguments, None for what it captures; return the values of its outputs."""
        for placeholder, value in zip(graph.inputs, inputs, strict=False):
            if value is not None:
                self.values[placeholder.ref()] = value
        for tensor, placeholder in graph.captures:
            if placeholder.ref() not in self.values:
                self.values[placeholder.ref()] = self._captured(graph, tensor)
        needed = _needed(graph)
        for op in graph.get_operations():
            if op in needed:
                self._op(op)
        return [self.values[t.ref()] for t in graph.outputs]

    def _captured(self, graph: Any, tensor: Any) -> Value | Handle:
        import tensorflow as tf

        if tensor.dtype != tf.resource:
            return tensor_constant(tensor, "constant", key=("capture", id(tensor)))
        return Handle(next((v for v in graph.variables if v.handle is tensor), tensor))

    def _op(self, op: Any) -> None:
        marker = self.traced.markers.get(_token(op))
        scope = marker.scope if marker else self.traced.scope(op)
        try:
            with self.g.named(scope):
                results = self._marker(marker, op) if marker else self._plain(op)
            results = [
                self._typed(v, o) if isinstance(v, Value) else v for v, o in zip(results, op.outputs, strict=True)
            ]
        except Exception as error:  # whatever a lowering stumbles over is told with the layer; the walk goes on
            self._refuse(scope, marker, op, error)
            results = [stand_in(output) for output in op.outputs]
        self.values.update((output.ref(), value) for output, value in zip(op.outputs, results, strict=True))

    def _refuse(self, scope: str, marker: Marker | None, op: Any, error: Exception) -> None:
        """Note why an op has no counterpart; what stumbles over the stand-in of one refused before tells nothing new."""
        refusals = self.traced.refusals
        if isinstance(error, NotImplementedError | UnsupportedError):
            if not self._lacks_a_list(op):
                refusals.append(refusal(scope or self.traced.name, marker, op, str(error)))
        elif not refusals:
            reason = f"its lowering does not know this form of it ({type(error).__name__}: {error})"
            refusals.append(refusal(scope or self.traced.name, marker, op, reason))
            refusals[-1].__cause__ = error

    def _lacks_a_list(self, op: Any) -> bool:
        """Whether an op takes a list that was refused before, so that its own refusal would tell nothing new."""
        return any(t.dtype == "variant" and self.values.get(t.ref()) is None for t in op.inputs)

    def _typed(self, value: Value, output: Any) -> Value:
        """Take the static shape that TensorFlow knows, and hold a lowering to the rank and dtype it must give."""
        if output.shape.rank is not None and not isinstance(value, Constant):
            static = tuple(output.shape.as_list())
            if value.rank != len(static):
                raise ValueError(f"{value.rank} axes, where TensorFlow has {len(static)}")
            value.shape = tuple(a if a is not None else b for a, b in zip(static, value.shape, strict=True))
        value.uses = max(value.uses, len(output.consumers()))
        return self.g.narrowed(value, computed_type(output.dtype.name))

    def _marker(self, marker: Marker, op: Any) -> list[Value]:
        import keras

        tensors = [self.values[t.ref()] for t in op.inputs]

        def fill(leaf: Any) -> Any:
            return tensors[leaf.position] if isinstance(leaf, Slot) else leaf

        args, kwargs = keras.tree.map_structure(fill, (marker.args, marker.kwargs))
        target = (marker.layer,) if marker.layer is not None else ()
        return keras.tree.flatten(marker.entry.lowering(self.g, *target, *args, **kwargs))

    def _plain(self, op: Any) -> Sequence[Value | Handle | None]:
        inputs = [self.values.get(t.ref()) for t in op.inputs]
        if op.type == "ReadVariableOp":
            return [self._read(inputs[0])]
        if op.type in READERS:
            inputs[0] = self._read(inputs[0])
        if (called := _called(op)) is not None:
            return Walk(self.g, self.traced).graph(function_graph(op, called), inputs)
        if (known := folded(op, inputs)) is not None:
            return [self.g.constant(array) for array in known]
        if any(is_complex(value) for value in inputs):
            return _listed(complex_op(self.g, op, inputs))
        if op.type in OPS:
            result = OPS[op.type].lowering(self.g, op, *inputs)
            return _listed(result)
        return convert_op(self.g, op, inputs)

    def _read(self, handle: Any) -> Constant:
        variable = handle.resource
        path = self.traced.paths.get(id(variable), variable.name.partition(":")[0])
        return tensor_constant(variable, path, key=("variable", id(variable)))


def _called(op: Any) -> str | None:
    """Return the name of the function that `op` calls, by an attribute or, as TensorFlow once did, by its own type."""
    if op.type in CALLS:
        return str(op.get_attr("f").name)
    return op.type if op.graph._is_function(op.type) else None


def _listed(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def _needed(graph: Any) -> set[Any]:
    """Return the ops that the outputs of `graph` depend on."""
    needed, stack = set(), [t.op for t in graph.outputs]
    while stack:
        op = stack.pop()
        if op not in needed and op.type != "Placeholder":
            needed.add(op)
            stack.extend(t.op for t in op.inputs)
    return needed


def _token(op: Any) -> str:
    return op.get_attr("token").decode() if op.type == "PyFunc" else ""
