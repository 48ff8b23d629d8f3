"""Emit a traced graph once more, op by op, with other dtypes; subclasses put other ops in place of some.

An op that does not exist in the wider dtype is composed of others (`double_resizing`), or runs in its own, between casts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exporter.tfgraph.double_resizing import IN_DOUBLE
from exporter.tfgraph.op_dtypes import has_kernel, input_types

# In another dtype these compute something else, not the same more precisely: bits, text, the length of a range.
_LITERAL_OPS = frozenset({"AsString", "Bitcast", "DecodeRaw", "ParseTensor", "Range", "SerializeTensor"})
# These move narrow floats, or give the very numbers that Keras has, without rounding anything.
_LOSSLESS_OPS = frozenset({"AssignVariableOp", "Cast", "Range", "ReadVariableOp", "ResourceGather", "ResourceGatherNd"})
# True of the original graph only: where an op was placed, how it is differentiated, the shapes seen in tracing.
_LOCAL_ATTRIBUTES = frozenset({"_class", "_gradient_op_type", "_input_shapes", "_output_shapes"})
COMPILED = "_XlaMustCompile"


class Replay:
    """Replays graphs op by op. Invariant: the image of a tensor of dtype d has the dtype `mapping.get(d, d)`.

    Args:
        mapping: dtype names to dtype names.

    Attributes:
        narrow: types of the ops that had to run in their own precision, so far.
    """

    def __init__(self, mapping: Mapping[str, str]) -> None:
        import tensorflow as tf

        self._mapping = {
            tf.as_dtype(old).as_datatype_enum: tf.as_dtype(new).as_datatype_enum for old, new in mapping.items()
        }
        self.narrow: set[str] = set()

    def replay(self, graph: Any, arguments: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Emit the ops of `graph` into the default graph; return the images of its outputs and control outputs."""
        import tensorflow as tf

        tensors = {
            parameter.name: _cast(argument, self._mapped(parameter.dtype.as_datatype_enum))
            for parameter, argument in zip(graph.inputs, arguments, strict=True)
        }
        parameters = {parameter.op.name for parameter in graph.inputs}
        ops: dict[str, Any] = {}
        for op in graph.get_operations():
            if op.name in parameters:
                continue
            if any(t.name not in tensors for t in op.inputs):
                raise ValueError(f"{op.name} ({op.type}) runs before its inputs: a loop of TensorFlow 1")
            with tf.control_dependencies([ops[c.name] for c in op.control_inputs if c.name in ops]):
                ops[op.name], outputs = self.emit(op, [tensors[t.name] for t in op.inputs])
            tensors.update(zip((t.name for t in op.outputs), outputs, strict=True))
        return [tensors[t.name] for t in graph.outputs], [ops[op.name] for op in graph.control_outputs]

    def emit(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        """Emit the image of one op; return it and the images of its outputs."""
        import tensorflow as tf

        if op.type in IN_DOUBLE and self._mapped(op.outputs[0].dtype.as_datatype_enum) == tf.float64.as_datatype_enum:
            composed = IN_DOUBLE[op.type](op, *inputs)
            composed.set_shape(op.outputs[0].shape)
            return composed.op, [composed]
        kind, attrs, wanted = self._image_of(op)
        if kind == "Cast" and attrs["SrcT"].type == attrs["DstT"].type:
            return inputs[0].op, inputs
        graph = tf.compat.v1.get_default_graph()
        image = graph.create_op(kind, list(map(_cast, inputs, wanted)), name=op.name, attrs=attrs)
        for old, new in zip(op.outputs, image.outputs, strict=True):
            new.set_shape(old.shape)
            self._copy_handle(old, new)
        self._note_narrow(image)
        return image, [
            _cast(new, self._mapped(old.dtype.as_datatype_enum))
            for old, new in zip(op.outputs, image.outputs, strict=True)
        ]

    def _image_of(self, op: Any) -> tuple[str, dict[str, Any], list[int]]:
        """Return the type and the attributes of the image of `op`, and the dtypes of its inputs."""
        own = [t.dtype.as_datatype_enum for t in op.inputs]
        if _library_function(op.graph, op.type) is not None:
            return "StatefulPartitionedCall", self._call(op), list(map(self._mapped, own))
        attrs = {name: value for name, value in op.node_def.attr.items() if name not in _LOCAL_ATTRIBUTES}
        if COMPILED in attrs and needs_no_compiler(definition(op.graph, attrs["f"].func.name)):
            del attrs[COMPILED]
        wide = {name: self.attribute(op, value) for name, value in attrs.items()}
        if self._keeps_precision(op, wide):
            return op.type, attrs, own
        return op.type, wide, input_types(op.op_def, wide)

    def _call(self, op: Any) -> dict[str, Any]:
        """Return the attributes of a call in place of an op whose type is the name of a function."""
        from tensorflow.core.framework.attr_value_pb2 import AttrValue, NameAttrList

        types = [[self._mapped(t.dtype.as_datatype_enum) for t in tensors] for tensors in (op.inputs, op.outputs)]
        lists = [AttrValue(list=AttrValue.ListValue(type=each)) for each in types]
        function = AttrValue(func=NameAttrList(name=self._function(op.graph, op.type)))
        return {"Tin": lists[0], "Tout": lists[1], "f": function}

    def attribute(self, op: Any, value: Any) -> Any:
        """Return a copy of an attribute with dtypes, constants and functions rewritten."""
        import tensorflow as tf

        copy = type(value)()
        copy.CopyFrom(value)
        kind = value.WhichOneof("value")
        if kind == "type":
            copy.type = self._mapped(value.type)
        elif kind == "tensor" and value.tensor.dtype in self._mapping:
            wide = tf.as_dtype(self._mapped(value.tensor.dtype))
            array = tf.make_ndarray(value.tensor).astype(wide.as_numpy_dtype)
            copy.tensor.CopyFrom(tf.make_tensor_proto(array, dtype=wide))
        elif kind == "func":
            copy.func.name = self._function(op.graph, value.func.name)
        elif kind == "list":
            copy.list.type[:] = [self._mapped(t) for t in value.list.type]
            for function in copy.list.func:
                function.name = self._function(op.graph, function.name)
        return copy

    def _function(self, graph: Any, name: str) -> str:
        """Add the image of a library function to the default graph; return its name."""
        import tensorflow as tf
        from tensorflow.python.eager.polymorphic_function import atomic_function
        from tensorflow.python.framework import func_graph, function_def_to_graph, ops

        original = definition(graph, name)
        with graph.as_default():
            source = function_def_to_graph.function_def_to_graph(original)
        target = tf.compat.v1.get_default_graph()
        image = func_graph.FuncGraph(f"{name}_rewritten_{ops.uid()}")
        with image.as_default():
            image.inputs = [self._parameter(t) for t in source.inputs]
            image.outputs, image.control_outputs = self.replay(source, image.inputs)
        dropped = _LOCAL_ATTRIBUTES | ({COMPILED} if needs_no_compiler(original) else set())
        kept = {key: value for key, value in original.attr.items() if key not in dropped}
        target._add_function_recursive(atomic_function.from_func_graph(image.name, image, kept))
        return image.name

    def _parameter(self, tensor: Any) -> Any:
        import tensorflow as tf

        dtype = tf.as_dtype(self._mapped(tensor.dtype.as_datatype_enum))
        parameter = tf.compat.v1.placeholder(dtype, tensor.shape, name=tensor.op.name)
        self._copy_handle(tensor, parameter)
        return parameter

    def _keeps_precision(self, op: Any, wide: Mapping[str, Any]) -> bool:
        """Whether the op must run as it is: its meaning depends on the dtype, or no wider kernel exists."""
        import tensorflow as tf

        if any(v.WhichOneof("value") == "func" or v.list.func for v in wide.values()):
            return False
        return (
            op.type in _LITERAL_OPS
            or op.type.startswith("Stateless")  # random numbers: other bits in another dtype
            or op.op_def.is_stateful
            or any(t.dtype == tf.resource for t in op.inputs)
            or not has_kernel(op.op_def, wide)
        )

    def _note_narrow(self, image: Any) -> None:
        """Record an op whose results are still narrow floats; indices and comparisons lose nothing to speak of."""
        floats = any(t.dtype.as_datatype_enum in self._mapping for t in image.outputs)
        if floats and image.type not in _LOSSLESS_OPS:
            self.narrow.add(image.type)

    def _copy_handle(self, old: Any, new: Any) -> None:
        """Tell shape inference what a list or a variable holds."""
        import tensorflow as tf
        from tensorflow.python.ops import handle_data_util

        if old.dtype not in (tf.variant, tf.resource):
            return
        data = handle_data_util.get_resource_handle_data(old)
        for entry in data.shape_and_type if old.dtype == tf.variant else ():
            entry.dtype = self._mapped(entry.dtype)
        handle_data_util.set_handle_data(new, data)

    def _mapped(self, dtype: int) -> int:
        return self._mapping.get(dtype, dtype)


def is_library_call(op: Any) -> bool:
    """Whether the type of an op is the name of a function of its graph."""
    return _library_function(op.graph, op.type) is not None


def definition(graph: Any, name: str) -> Any:
    """Return the FunctionDef of a function that `graph`, or a graph around it, has in its library."""
    function = _library_function(graph, name)
    if function is None:
        raise ValueError(f"the graph calls a function that it does not hold: {name}")
    return function.cached_definition


def _library_function(graph: Any, name: str) -> Any:
    while graph is not None:
        if (function := graph._get_function(name)) is not None:
            return function
        graph = getattr(graph, "outer_graph", None)
    return None


def needs_no_compiler(function: Any) -> bool:
    """Whether a function that XLA is to compile holds convolutions that TensorFlow itself can do on a CPU.

    Keras asks for XLA for the sake of grouped, dilated and channels-first convolutions; in double it is 50 times slower.
    """
    convolutions = [node for node in function.node_def if node.op.startswith("Conv")]
    return bool(convolutions) and all(
        node.op == "Conv2D" and node.attr["data_format"].s in (b"", b"NHWC") for node in convolutions
    )


def _cast(tensor: Any, dtype: int) -> Any:
    import tensorflow as tf

    return tensor if tensor.dtype.as_datatype_enum == dtype else tf.cast(tensor, tf.as_dtype(dtype))
