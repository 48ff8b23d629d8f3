"""Read the graph off the symbolic tensors that a function returned: Keras remembers how each came to be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from exporter.expressions import operations
from exporter.expressions.encoding import LARGEST_CONSTANT, encode_value
from exporter.expressions.graph import Constant, Graph, Input, InputSpec, Node, Result, numpy_dtype, substitute
from exporter.expressions.refusal import Refusal

_NO_TENSOR = Refusal(
    "its result does not depend on its inputs", "make a constant an input of the model, or a weight of a layer"
)


class Recorder:
    """Follows symbolic tensors back to the inputs and writes down what it meets.

    Args:
        inputs: symbolic tensors without a history, or a structure of them.
        arguments: as for `trace`.
        compute_dtype: of arrays of floats among the arguments, by name.
    """

    def __init__(self, inputs: Any, arguments: Mapping[str, Any], compute_dtype: str) -> None:
        flat = keras.tree.flatten(inputs)
        self._symbols = {id(tensor): number for number, tensor in enumerate(flat)}
        numbers = iter(range(len(flat)))
        self._structure = keras.tree.map_structure(lambda _: Input(next(numbers)), inputs)
        self._specs = tuple(InputSpec(tuple(t.shape), t.dtype) for t in flat)
        self._nodes: list[Node] = []
        self._numbers: dict[int, int] = {}  # by the id of Keras's node
        self._alive: list[Any] = []  # an id is only good while its object lives
        self._constants: dict[str, np.ndarray] = {}
        self._names: dict[int, str] = {}
        self.arguments = {name: self._argument(name, value, compute_dtype) for name, value in arguments.items()}

    def graph(self, outputs: Any) -> Graph:
        """Return the graph that computes `outputs`, a symbolic tensor or a list, tuple or dict of them.

        Raises:
            Refusal: if something in it cannot be written down.
        """
        flat = keras.tree.flatten(outputs)
        if not flat or not all(isinstance(tensor, keras.KerasTensor) for tensor in flat):
            raise Refusal(_NO_TENSOR.reason, _NO_TENSOR.remedy)
        try:
            references = [self._reference(tensor) for tensor in flat]
        except RecursionError:
            raise Refusal("it makes a chain of operations that is too long", "make it a layer of your own") from None
        return Graph(
            self._structure,
            self._specs,
            self._constants,
            tuple(self._nodes),
            keras.tree.pack_sequence_as(outputs, references),
        )

    def _argument(self, name: str, value: Any, compute_dtype: str) -> Any:
        """Arrays get the name of the argument; floats take the dtype in which the layer computes, as weights do."""
        if not _is_array(value):
            encode_value(value)
            return value
        array = _checked(_as_numpy(value))
        array = array if array.dtype.kind in "biu" else array.astype(numpy_dtype(compute_dtype))
        array = yielding(array)
        self._alive.append(array)
        self._names[id(array)] = name
        return array

    def _reference(self, tensor: Any) -> Input | Result:
        if id(tensor) in self._symbols:
            return Input(self._symbols[id(tensor)])
        history = getattr(tensor, "_keras_history", None)
        if history is None:
            raise Refusal("it uses a tensor of the surrounding model", "pass that tensor as an input of the function")
        node = history.operation._inbound_nodes[history.node_index]
        if id(node) not in self._numbers:
            self._write(node)
        return Result(self._numbers[id(node)], history.tensor_index)

    def _write(self, node: Any) -> None:
        self._alive.append(node)
        op, args, kwargs = operations.call_of(node.operation, node.arguments.args, node.arguments.kwargs)
        if op == "reshape" and None in kwargs["newshape"]:
            kwargs["newshape"] = _with_one_free_size(kwargs["newshape"], node.input_tensors[0].shape)
        written = Node(op, tuple(self._value(a) for a in args), {n: self._value(v) for n, v in kwargs.items()})
        self._numbers[id(node)] = len(self._nodes)
        self._nodes.append(written)

    def _value(self, value: Any) -> Any:
        written = substitute(value, self._leaf)
        encode_value(written)
        return written

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, keras.KerasTensor):
            return self._reference(value)
        if isinstance(value, keras.Variable) or hasattr(value, "assign"):  # of the backend
            name = getattr(value, "path", getattr(value, "name", ""))
            raise Refusal(f"it uses the variable {name!r}, which no layer owns", "write a layer that owns it")
        if _is_array(value):
            return self._constant(value)
        if isinstance(value, type) or type(value).__module__.partition(".")[0] in {"numpy", "tensorflow", "torch"}:
            return _dtype_name(value)
        return value

    def _constant(self, value: Any) -> Constant:
        if id(value) not in self._names:
            self._alive.append(value)
            self._names[id(value)] = f"constant_{len(self._names)}"
        name = self._names[id(value)]
        if name not in self._constants:
            self._constants[name] = _checked(_as_numpy(value)).view(np.ndarray)
            total = sum(array.size for array in self._constants.values())
            if total > LARGEST_CONSTANT:
                raise Refusal(
                    f"it holds arrays of {total} elements together ({name}: {_shape_text(self._constants[name])}), "
                    f"more than {LARGEST_CONSTANT}",
                    "give large arrays to a layer as weights: add_weight in build, and set_weights",
                )
        return Constant(name)


def _with_one_free_size(wanted: Sequence[int | None], given: Sequence[int | None]) -> tuple[int, ...]:
    """Leave the one size that is not known to Keras: of (None, 3, 4), (x.shape[0], -1) becomes (-1, 12)."""
    if given.count(None) != 1 or wanted.count(None) != 1 or wanted.count(-1) > 1:
        raise Refusal("it reshapes to sizes of which more than one is not known", "fix the others in the Input")
    rest = math.prod(size for size in wanted if size not in (None, -1))
    missing = math.prod(size for size in given if size is not None) // max(rest, 1)
    return tuple(-1 if size is None else missing if size == -1 else size for size in wanted)


class _Array(np.ndarray):
    """Lets the other operand compute: NumPy would try to turn the tensor in `array - tensor` into an array."""

    __array_priority__ = -2_000_000.0  # below what NumPy takes for objects that state none


def yielding(array: np.ndarray) -> np.ndarray:
    """The same array, which leaves `array - tensor` to the tensor."""
    return array.view(_Array)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) or (
        keras.ops.is_tensor(value) and not isinstance(value, keras.KerasTensor | keras.Variable)
    )


def _as_numpy(value: Any) -> np.ndarray:
    try:
        return np.array(value if isinstance(value, np.ndarray | np.generic) else keras.ops.convert_to_numpy(value))
    except Exception as error:  # a tensor of a graph that is being traced has no value
        raise Refusal("it uses a tensor that has no value yet", "pass that tensor as an input") from error


def _checked(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf" and array.dtype.name not in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        raise Refusal(f"it holds an array of {array.dtype}, which is no number", "pass it as an input")
    return array


def _dtype_name(value: Any) -> Any:
    try:
        return keras.backend.standardize_dtype(value)
    except (ValueError, TypeError):
        return value


def _shape_text(array: np.ndarray) -> str:
    return f"{array.dtype}{list(array.shape)}"
