"""A graph as JSON data, and back: what is read is held against what a graph may be, and nothing is looked up by path.

    {"version": 1,
     "inputs": {"input": 0}, "specs": [{"shape": [null, 8], "dtype": null}],
     "constants": {"mean": {"dtype": "float32", "shape": [2], "values": [0.5, 0.25]}},
     "nodes": [{"op": "subtract", "args": [], "kwargs": {"x1": {"input": 0}, "x2": {"constant": "mean"}}}],
     "outputs": {"node": [0, 0]}}

Numbers, texts, booleans, null and lists stand for themselves; every other value is a dict with one key that says what
it is: input, constant, node, compute_dtype, tuple, dict, slice, ellipsis, float (for NaN and ±Inf).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from exporter.expressions import operations
from exporter.expressions.graph import (
    ComputeDtype,
    Constant,
    Graph,
    Input,
    InputSpec,
    Node,
    Result,
    numpy_dtype,
    substitute,
)
from exporter.expressions.refusal import Refusal

VERSION = 1
LARGEST_CONSTANT = 10_000  # elements of all constants together, written out as text; more is a weight
MOST_NODES = 10_000
_NUMBERS = frozenset("biuf")  # kinds of NumPy dtypes; bfloat16 and float8 are of kind V


def encode(graph: Graph) -> dict[str, Any]:
    """Return plain data: dicts, lists, texts, finite numbers, booleans and None."""
    return {
        "version": VERSION,
        "inputs": encode_value(graph.structure),
        "specs": [
            {"shape": None if spec.shape is None else list(spec.shape), "dtype": spec.dtype} for spec in graph.specs
        ],
        "constants": {
            name: _encode_array(array, name in graph.compute_constants) for name, array in graph.constants.items()
        },
        "nodes": [
            {
                "op": node.op,
                "args": [encode_value(value) for value in node.args],
                "kwargs": {name: encode_value(value) for name, value in node.kwargs.items()},
            }
            for node in graph.nodes
        ],
        "outputs": encode_value(graph.outputs),
    }


def decode(data: Any) -> Graph:
    """Return the graph that `data` describes.

    Raises:
        Refusal: if it is anything else than what `encode` writes.
    """
    try:
        return _decode(data)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        if isinstance(error, Refusal):
            raise
        raise Refusal(f"the data is no graph of an expression ({type(error).__name__}: {error})") from error


def _decode(data: Any) -> Graph:
    _require(isinstance(data, Mapping), "it is no dict")
    _require(data["version"] == VERSION, f"its version is {data['version']!r}, this release reads {VERSION}")
    _require(len(data["nodes"]) <= MOST_NODES, f"it has more than {MOST_NODES} nodes")
    constants = {str(name): decode_array(entry) for name, entry in data["constants"].items()}
    total = sum(array.size for array in constants.values())
    _require(total <= LARGEST_CONSTANT, f"its constants have {total} elements, more than {LARGEST_CONSTANT}")
    graph = Graph(
        structure=decode_value(data["inputs"]),
        specs=tuple(_decode_spec(entry) for entry in data["specs"]),
        constants=constants,
        nodes=tuple(_decode_node(entry) for entry in data["nodes"]),
        outputs=decode_value(data["outputs"]),
        compute_constants=frozenset(n for n, entry in data["constants"].items() if entry["dtype"] is None),
    )
    _check_references(graph)
    return graph


def _decode_spec(entry: Mapping[str, Any]) -> InputSpec:
    shape, dtype = entry["shape"], entry["dtype"]
    _require(shape is None or all(size is None or _is_count(size) for size in shape), f"{shape!r} is no shape")
    _require(dtype is None or isinstance(dtype, str), f"{dtype!r} is no dtype")
    return InputSpec(None if shape is None else tuple(shape), dtype)


def _decode_node(entry: Mapping[str, Any]) -> Node:
    known = operations.parameters(entry["op"])
    open_ended = any(p.kind is p.VAR_KEYWORD for p in known.values())
    unknown = [] if open_ended else sorted(set(entry["kwargs"]) - set(known))
    _require(not unknown, f"keras.ops.{entry['op']} has no argument {', '.join(unknown)}")
    args = tuple(decode_value(value) for value in entry["args"])
    return Node(entry["op"], args, {str(name): decode_value(value) for name, value in entry["kwargs"].items()})


def _check_references(graph: Graph) -> None:
    """Every reference leads to something that exists by then, and no node computes from nothing."""
    inputs = keras.tree.flatten(graph.structure)  # in Keras's order: dicts by key
    _require(inputs == [Input(number) for number in range(len(graph.specs))], "its inputs are not numbered in order")
    for number, node in enumerate(graph.nodes):
        _require(_is_valid([*node.args, node.kwargs], graph, number), f"node {number} refers to what is not there")
        tensors = [leaf for leaf in _leaves([*node.args, node.kwargs]) if isinstance(leaf, Input | Result)]
        _require(bool(tensors), f"node {number} ({node.op}) has no tensor among its arguments")
    outputs = _leaves(graph.outputs)
    _require(_is_valid(graph.outputs, graph, len(graph.nodes)), "its outputs refer to what is not there")
    _require(bool(outputs) and all(isinstance(o, Input | Result) for o in outputs), "its outputs are no tensors")


def _is_valid(value: Any, graph: Graph, before: int) -> bool:
    """Whether all references lead to inputs, constants and the nodes before this number."""

    def valid(leaf: Any) -> bool:
        match leaf:
            case Input(index):
                return _is_count(index) and index < len(graph.specs)
            case Constant(name):
                return name in graph.constants
            case Result(node, output):
                return _is_count(node) and _is_count(output) and node < before
        return True

    return all(valid(leaf) for leaf in _leaves(value))


def _leaves(value: Any) -> list[Any]:
    found: list[Any] = []
    substitute(value, found.append)
    return found


def encode_value(value: Any) -> Any:
    """Return an argument, a reference or a structure of them as data.

    Raises:
        Refusal: if it is something that cannot be written down.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list):
        return [encode_value(member) for member in value]
    if (form := _reference_form(value) or _structure_form(value)) is not None:
        return form
    raise Refusal(
        f"it passes {type(value).__name__} as an argument, which cannot be written down as data",
        "pass numbers, texts, arrays, or lists of them",
    )


def _reference_form(value: Any) -> dict[str, Any] | None:
    match value:
        case Input(index):
            return {"input": index}
        case Constant(name):
            return {"constant": name}
        case Result(node, output):
            return {"node": [node, output]}
        case ComputeDtype():
            return {"compute_dtype": True}
    return None


def _structure_form(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else {"float": repr(value)}
        case slice():
            return {"slice": [encode_value(part) for part in (value.start, value.stop, value.step)]}
        case tuple():
            return {"tuple": [encode_value(member) for member in value]}
        case Mapping() if all(isinstance(key, str) for key in value):
            return {"dict": {key: encode_value(member) for key, member in value.items()}}
    return {"ellipsis": True} if value is Ellipsis else None


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "input": Input,
    "constant": Constant,
    "node": lambda content: Result(*content),
    "compute_dtype": lambda _: ComputeDtype(),
    "float": lambda content: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content],
    "slice": lambda content: slice(*(decode_value(part) for part in content)),
    "ellipsis": lambda _: Ellipsis,
    "tuple": lambda content: tuple(decode_value(member) for member in content),
    "dict": lambda content: {str(key): decode_value(member) for key, member in content.items()},
}


def decode_value(data: Any) -> Any:
    """Return what `encode_value` was given.

    Raises:
        Refusal: if it is another kind of data.
    """
    if isinstance(data, list):
        return [decode_value(member) for member in data]
    if isinstance(data, Mapping):
        (form, content), *more = data.items()
        _require(not more and form in _FORMS, f"{'/'.join(map(str, data))} is no form of a value")
        return _FORMS[form](content)
    _require(data is None or isinstance(data, bool | int | float | str), f"{type(data).__name__} is no kind of value")
    return data


def _encode_array(array: np.ndarray, compute: bool) -> dict[str, Any]:
    values = array.ravel().tolist()  # Python numbers: exact for every float up to 64 bits
    finite = [v if not isinstance(v, float) or math.isfinite(v) else repr(v) for v in map(_plain, values)]
    return {"dtype": None if compute else array.dtype.name, "shape": list(array.shape), "values": finite}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else float(value)  # an element of ml_dtypes


def decode_array(entry: Mapping[str, Any]) -> np.ndarray:
    """Return the array that an entry of "constants" describes; without a dtype, as float64."""
    shape, dtype, values = entry["shape"], entry["dtype"] or "float64", entry["values"]
    _require(all(_is_count(size) for size in shape), f"{shape!r} is no shape")
    _require(len(values) == math.prod(shape), f"{len(values)} values do not fill the shape {shape!r}")
    _require(all(isinstance(v, bool | int | float) or v in ("nan", "inf", "-inf") for v in values), "no numbers")
    numpy = numpy_dtype(dtype)
    _require(numpy.kind in _NUMBERS or numpy.kind == "V", f"{dtype!r} is no dtype of numbers")
    numbers = [float(v) if isinstance(v, str) else v for v in values]
    return np.array(numbers, dtype=numpy).reshape(shape)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Refusal(f"the data is no graph of an expression: {otherwise}")
