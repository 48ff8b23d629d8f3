"""The ONNX graph under construction: what lowerings write nodes, constants and weights with.

`op` takes and gives tensors in Keras's axis order. `elementwise` keeps whatever order its inputs have. `raw` writes a node
exactly as told, for lowerings that choose the order themselves.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.kernels import Promotion, promotion
from exporter.formats.onnx.builder.value import Constant, Order, Shape, Value, broadcast_shapes, identity

Operand = Value | np.ndarray | float | int | bool | None
SMALL = 4096  # elements; constants up to this size are written once for equal contents

BOOLEAN_OPS = frozenset(
    {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf"}
)


class Graph:
    """An ONNX graph that grows node by node.

    Args:
        opset: the newest opset that may be used.
        outer: the graph that this one is the body of (Loop, If, Scan), whose values it may read.

    Attributes:
        walk: writes a TensorFlow graph (a loop's body) into a graph, given values for its arguments.
        wanted: the lowest opset that has every form used so far (`supports_opset`).
    """

    def __init__(self, opset: int, outer: Graph | None = None) -> None:
        self.opset = opset
        self.nodes: list[ir.Node] = []
        self.inputs: list[Value] = []
        self.scope: str = outer.scope if outer else ""
        self.outer = outer
        self._root: Graph = outer._root if outer else self
        self.walk: Callable[[Graph, Any, Sequence[Any]], list[Value]] | None = outer.walk if outer else None
        self._reordered: dict[tuple[int, Order], Value] = {}
        self._wide: dict[int, Value] = {}
        if outer is None:
            self.wanted = 13
            self.initializers: dict[str, ir.Value] = {}
            self._by_key: dict[Hashable, ir.Value] = {}
            self._taken: Counter[str] = Counter()
            self._values_in_file: dict[ir.Value, Value] = {}

    # -- choosing forms ------------------------------------------------------------------------------------------------

    def supports_opset(self, opset: int) -> bool:
        """Say that a form of `opset` is wanted; return whether it may be used."""
        if opset > self.opset:
            return False
        self._root.wanted = max(self._root.wanted, opset)
        return True

    @contextlib.contextmanager
    def named(self, scope: str) -> Iterator[None]:
        """Name what is written inside this context after `scope`, the path of a Keras layer."""
        before, self.scope = self.scope, scope or self.scope
        try:
            yield
        finally:
            self.scope = before

    @contextlib.contextmanager
    def scratch_nodes(self, scope: str) -> Iterator[list[ir.Node]]:
        """Write into a list of its own inside this context, named after `scope`: for nodes that take a place elsewhere."""
        before, self.nodes = self.nodes, []
        try:
            with self.named(scope):
                yield self.nodes
        finally:
            self.nodes = before

    def unique(self, name: str) -> str:
        """Return `name`, or `name_1`, `name_2` … when it is taken."""
        taken = self._root._taken
        count = taken[name]
        taken[name] += 1
        return name if count == 0 else self.unique(f"{name}_{count}")

    # -- tensors -------------------------------------------------------------------------------------------------------

    def input(self, name: str, shape: Sequence[int | str | None], dtype: ir.DataType) -> Value:
        """Add an input of the graph; a string names a dynamic dimension."""
        value = ir.Value(name=self.unique(name), shape=ir.Shape(shape), type=ir.TensorType(dtype))
        known = tuple(d if isinstance(d, int) else None for d in shape)
        self.inputs.append(self._known(Value(value, known, dtype, identity(len(known)))))
        return self.inputs[-1]

    def constant(self, array: Any, dtype: Any = None, name: str = "") -> Constant:
        """Return a constant with the contents of `array` (NumPy, or Python numbers), as `dtype` if given."""
        held = np.asarray(array, dtype=dtype)
        kind = ir.DataType.STRING if held.dtype.kind in "OSU" else ir.DataType.from_numpy(held.dtype)
        return Constant(None, held.shape, kind, identity(held.ndim), load=lambda: held, name=name)

    def weight(self, variable: Any) -> Constant:
        """Return a Keras variable, or a tensor computed of some, as a constant.

        It is read when it is written, floats of 16 bits as float32.
        """
        import keras

        if isinstance(variable, keras.Variable):
            return tensor_constant(variable.value, variable.path, key=("variable", id(variable.value)))
        return tensor_constant(variable, f"{self.scope}/weight", key=("tensor", id(variable)))

    def value_of(self, operand: Operand, like: Value | None = None) -> Value:
        """Return an operand as a Value; a Python number takes the dtype of `like`."""
        if isinstance(operand, Value):
            return operand
        if isinstance(operand, np.ndarray):
            return self.constant(operand)
        return self.constant(operand, like.numpy_dtype if like is not None else None)

    def keras_order(self, value: Value) -> Value:
        """Return `value` with its axes as Keras has them, transposed if the file holds them otherwise."""
        return self.in_order(value, identity(value.rank))

    def in_order(self, value: Value, order: Order) -> Value:
        """Return `value` held in `order`; a Transpose is written at most once for each value and order."""
        if value.order == order:
            return value
        if isinstance(value, Constant):
            return dataclasses.replace(value, ir=None, order=order)
        permutation = [value.order.index(axis) for axis in order]
        key = (id(value.ir), tuple(permutation))
        if key not in self._reordered:
            self._reordered[key] = self._transposed(value, order, permutation)
        known = self._reordered[key]
        return Value(known.ir, value.shape, value.dtype, order)

    def _transposed(self, value: Value, order: Order, permutation: list[int]) -> Value:
        long_axes = [axis for axis in value.order if value.shape[axis] != 1]
        if long_axes == [axis for axis in order if value.shape[axis] != 1] and value.shape.count(None) <= 1:
            target = [-1 if value.shape[axis] is None else value.shape[axis] for axis in order]
            (result,) = self._node("Reshape", [value, self.constant(target, np.int64)])
        else:
            (result,) = self._node("Transpose", [value], perm=permutation)
        result.type = ir.TensorType(value.dtype)
        return self._known(Value(result, value.shape, value.dtype, order))

    # -- nodes ---------------------------------------------------------------------------------------------------------

    def op(
        self,
        kind: str,
        *operands: Operand,
        shape: Shape | None = None,
        dtype: ir.DataType | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> Value:
        """Write a node on inputs in Keras's axis order; return its one output.

        Args:
            kind: the op type.
            operands: Values, arrays or numbers; None for an input left out.
            shape: of the output; None: what broadcasting the inputs gives.
            dtype: of the output; None: that of the first input, bool for comparisons.
            domain: of the op.
            attributes: of the node; those that are None are left out.
        """
        values = [None if v is None else self.keras_order(v) for v in self._values(operands)]
        return self.raw(kind, *values, shape=shape, dtype=dtype, domain=domain, **attributes)

    def ops(
        self,
        kind: str,
        *operands: Operand,
        outputs: Sequence[tuple[Shape, ir.DataType]],
        domain: str = "",
        **attributes: Any,
    ) -> list[Value]:
        """Write a node with several outputs, whose shapes and dtypes are given."""
        values = [None if v is None else self.keras_order(v) for v in self._values(operands)]
        values, lifted = self._lifted(kind, domain, values)
        written = self._node(kind, values, len(outputs), domain, **attributes)
        results = []
        for position, (result, (shape, dtype)) in enumerate(zip(written, outputs, strict=True)):
            made = (lifted and lifted.output(position)) or dtype
            result.type = ir.TensorType(made)
            results.append(self.cast(self._known(Value(result, tuple(shape), made, identity(len(shape)))), dtype))
        return results

    def raw(
        self,
        kind: str,
        *operands: Operand,
        shape: Shape | None = None,
        dtype: ir.DataType | None = None,
        order: Order | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> Value:
        """Write a node on inputs as the file holds them; `shape` is in Keras's axis order, `order` tells the output's."""
        values = self._values(operands)
        present = [v for v in values if v is not None]
        if dtype is None:
            dtype = ir.DataType.BOOL if kind in BOOLEAN_OPS else present[0].dtype
        if shape is None:
            shape = broadcast_shapes([v.shape for v in present])
        values, lifted = self._lifted(kind, domain, values)
        (result,) = self._node(kind, values, 1, domain, **attributes)
        made = (lifted and lifted.output(0)) or dtype
        result.type = ir.TensorType(made)
        order = identity(len(shape)) if order is None else order
        return self.cast(self._known(Value(result, tuple(shape), made, order)), dtype)

    def elementwise(
        self, kind: str, *operands: Operand, dtype: ir.DataType | None = None, domain: str = "", **attributes: Any
    ) -> Value:
        """Write an elementwise node that keeps the axis order of its inputs, broadcasting as NumPy does."""
        values = [v for v in self._values(operands) if v is not None]
        shape = broadcast_shapes([v.shape for v in values])
        order = self._common_order(values, len(shape))
        laid = [self._broadcastable(v, order) for v in values]
        return self.raw(kind, *laid, shape=shape, dtype=dtype, order=order, domain=domain, **attributes)

    def cast(self, value: Value, dtype: ir.DataType) -> Value:
        """Return `value` as `dtype`."""
        if value.dtype == dtype:
            return value
        if isinstance(value, Constant) and ir.DataType.STRING not in (value.dtype, dtype):
            return value.astype(dtype.numpy())
        if dtype == ir.DataType.INT64 and id(value.ir) in self._wide:
            wide = self._wide[id(value.ir)]
            same = (wide.shape, wide.order) == (value.shape, value.order)  # else it was transposed since
            return wide if same else Value(wide.ir, value.shape, wide.dtype, value.order)
        return self.elementwise("Cast", value, dtype=dtype, to=int(dtype))

    def narrowed(self, value: Value, dtype: ir.DataType) -> Value:
        """Return `value`, as ONNX gives it, in the dtype that TensorFlow has for it.

        Sizes and indices are int64 in ONNX, mostly int32 in TensorFlow, and go back into ONNX's ops as int64: the wide
        value is remembered, so that the way there and back leaves no nodes.
        """
        narrow = self.cast(value, dtype)
        if (value.dtype, dtype) == (ir.DataType.INT64, ir.DataType.INT32) and not isinstance(value, Constant):
            self._wide[id(narrow.ir)] = value
        return narrow

    def is_size(self, value: Value) -> bool:
        """Whether `value` is int32 for TensorFlow's sake only: an int64 of the same numbers is at hand, or it is constant."""
        return value.dtype == ir.DataType.INT32 and (isinstance(value, Constant) or id(value.ir) in self._wide)

    def dimension(self, value: Value, axis: int) -> Value:
        """Return the size of `value` along Keras's `axis` as an int64 vector of one element: a constant where it is fixed."""
        size = value.shape[axis]
        if size is not None:
            return self.constant([size], np.int64)
        place = value.axis(axis)
        if self.supports_opset(15):
            return self.raw("Shape", value, shape=(1,), dtype=ir.DataType.INT64, start=place, end=place + 1)
        sizes = self.raw("Shape", value, shape=(value.rank,), dtype=ir.DataType.INT64)
        return self.op("Gather", sizes, self.constant([place], np.int64), shape=(1,), axis=0)

    def body(self) -> Graph:
        """Return an empty graph for the body of a Loop, If or Scan."""
        return Graph(self.opset, outer=self)

    def finish_body(self, name: str, outputs: Sequence[Value]) -> ir.Graph:
        """Close the body of a Loop, If or Scan."""
        results = []
        for output in outputs:
            copied = self.op("Identity", output)  # a body must not return an outer value or one of its inputs
            assert copied.ir is not None
            copied.ir.shape = ir.Shape(list(copied.shape))
            copied.ir.type = ir.TensorType(copied.dtype)
            results.append(copied.ir)
        inputs = [v.ir for v in self.inputs if v.ir is not None]
        return ir.Graph(inputs, results, nodes=self.nodes, name=self.unique(name))

    def written(self, value: Value) -> ir.Value:
        """Return the value in the file; a constant becomes an initializer, once for equal contents."""
        if value.ir is not None:
            return value.ir
        assert isinstance(value, Constant)
        root = self._root
        key = value.key
        if key is None and value.size <= SMALL:
            key = (value.shape, value.dtype, _contents(value.array))
        if key is not None and (key, value.order) in root._by_key:
            value.ir = root._by_key[key, value.order]
            return value.ir
        value.ir = self._initializer(value)
        if key is not None:
            root._by_key[key, value.order] = value.ir
        return value.ir

    def adopted(self, value: ir.Value, shape: Shape, dtype: ir.DataType) -> Value:
        """Take a value that was written without this class."""
        return self._known(Value(value, shape, dtype, identity(len(shape))))

    def reshaped(self, value: ir.Value, shape: tuple[int, ...]) -> Constant:
        """Return a constant of the file in another shape; it is read when it is written."""
        held = value.const_value
        assert held is not None
        assert value.dtype is not None
        load, key = lambda: held.numpy().reshape(shape), ("reshaped", id(value))
        return Constant(None, shape, value.dtype, identity(len(shape)), load=load, name=value.name or "", key=key)

    def filed(self, value: ir.Value) -> Value | None:
        """Return what a value of the file is, its axes counted as the file has them; None if this class did not write it."""
        known = self._root._values_in_file.get(value)
        return known.as_filed() if known is not None else None

    # -- details -------------------------------------------------------------------------------------------------------

    def _known(self, value: Value) -> Value:
        if value.ir is not None:
            self._root._values_in_file[value.ir] = value
        return value

    def _values(self, operands: Sequence[Operand]) -> list[Value | None]:
        like = next((v for v in operands if isinstance(v, Value)), None)
        return [None if operand is None else self.value_of(operand, like) for operand in operands]

    def _lifted(
        self, kind: str, domain: str, values: list[Value | None]
    ) -> tuple[list[Value | None], Promotion | None]:
        """Cast the inputs of a node to types that ONNX Runtime computes it in, if it has no kernel for theirs."""
        lifted = promotion(kind, domain, self.opset, tuple(None if v is None else v.dtype for v in values))
        if lifted is None:
            return values, None
        return [
            v if v is None or dtype is None else self.cast(v, dtype)
            for v, dtype in zip(values, lifted.inputs, strict=True)
        ], lifted

    def _common_order(self, values: Sequence[Value], rank: int) -> Order:
        """Return the order of the largest computed input that has all axes."""
        for value in values:
            if value.rank == rank and not value.in_keras_order and not isinstance(value, Constant):
                return value.order
        return identity(rank)

    def _broadcastable(self, value: Value, order: Order) -> Value:
        """Lay out an input of an elementwise node so that it broadcasts in `order`."""
        rank = len(order)
        if value.rank == 0 or order == identity(rank):
            return self.keras_order(value)
        if value.rank < rank:
            value = self._with_rank(self.keras_order(value), rank)
        return self.in_order(value, order)

    def _with_rank(self, value: Value, rank: int) -> Value:
        missing = rank - value.rank
        shape = (1,) * missing + value.shape
        if isinstance(value, Constant):
            return value.reshape(*(d or 0 for d in shape))
        return self.op("Unsqueeze", value, self.constant(range(missing), np.int64), shape=shape)

    def _node(
        self, kind: str, values: Sequence[Value | None], outputs: int = 1, domain: str = "", **attributes: Any
    ) -> Sequence[ir.Value]:
        inputs = [None if v is None else self.written(v) for v in values]
        given = {name: value for name, value in attributes.items() if value is not None}
        name = self.unique(f"{self.scope}/{kind}" if self.scope else kind)
        node = ir.Node(domain, kind, inputs, ir.convenience.convert_attributes(given), num_outputs=outputs, name=name)
        for position, output in enumerate(node.outputs):
            output.name = f"{name}:{position}"
        self.nodes.append(node)
        return node.outputs

    def _initializer(self, value: Constant) -> ir.Value:
        name = self.unique(value.name or (f"{self.scope}/constant" if self.scope else "constant"))
        shape = ir.Shape([d or 0 for d in value.file_shape])
        if value.dtype == ir.DataType.STRING:
            flat = [s if isinstance(s, bytes) else str(s).encode() for s in value.array.flat]
            tensor: Any = ir.StringTensor(flat, shape=shape, name=name)
        else:
            load, order = value.load, value.order
            tensor = ir.LazyTensor(
                lambda: ir.tensor(np.asarray(load().transpose(order), order="C"), name=name),
                dtype=value.dtype,
                shape=shape,
                name=name,
            )
        written = ir.Value(name=name, shape=shape, type=ir.TensorType(value.dtype), const_value=tensor)
        self._root.initializers[name] = written
        self._known(Value(written, value.file_shape, value.dtype, identity(value.rank)))
        return written


def _contents(array: np.ndarray) -> Hashable:
    return tuple(array.flat) if array.dtype.hasobject else array.tobytes()


def tensor_constant(tensor: Any, name: str, key: Hashable = None) -> Constant:
    """Return a TensorFlow tensor or variable as a constant that is read, without a copy, when it is written.

    Floats of 16 bits are written as float32: their values are the same, and CPU runtimes compute in float32 anyway.
    """
    name_of_dtype = tensor.dtype if isinstance(tensor.dtype, str) else tensor.dtype.name
    narrow = name_of_dtype in ("float16", "bfloat16")
    kind = ir.DataType.STRING
    if name_of_dtype != "string":
        kind = ir.DataType.from_numpy(np.dtype("float32" if narrow else name_of_dtype))

    def load() -> np.ndarray:
        import tensorflow as tf

        with tf.init_scope():  # eagerly, also while something is being traced
            array = np.asarray(tf.convert_to_tensor(tensor))
        return array.astype(np.float32) if narrow else array

    shape = tuple(int(d) for d in tensor.shape)
    return Constant(None, shape, kind, identity(len(shape)), load=load, name=name, key=key)
