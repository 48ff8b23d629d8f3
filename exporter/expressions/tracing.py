"""Trace a Python function once on symbolic tensors, and make sure that the graph is all there is to it.

A trace sees one shape, one dtype and one run. The function is therefore traced anew, in turn

* the same way: a graph that changes holds random numbers;
* with all sizes unknown: where the graph stays the same it holds for any size, else for this one only;
* in another float dtype: what follows the dtype of the input is written down as "the compute dtype".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from exporter.expressions import encoding
from exporter.expressions.graph import Graph, InputSpec
from exporter.expressions.recording import Recorder
from exporter.expressions.refusal import Refusal, failure_of, randomness


def trace(
    function: Callable[..., Any],
    inputs: Any,
    *,
    compute_dtype: str,
    arguments: Mapping[str, Any] | None = None,
    unpack: bool = False,
) -> Graph:
    """Return the graph of a function of `keras.ops` and operators.

    Args:
        function: called with the inputs in their form, and the arguments by name.
        inputs: anything with a shape and a dtype, or a list, tuple or dict of them. The first dimension is taken to
            be the batch, of any size.
        compute_dtype: the dtype that float inputs have, by name.
        arguments: numbers, texts, booleans or lists, which are written into the graph; and arrays, which become
            constants of these names.
        unpack: whether a list or tuple of inputs is passed as one positional argument each.

    Raises:
        Refusal: if the function is not all there is to see in its graph: it decides by values, draws random numbers,
            holds large arrays, or calls something outside of `keras.ops`.
    """

    def record(shapes: Callable[[Any], Any], dtype: str) -> Graph:
        def symbol(tensor: Any) -> Any:
            own = keras.backend.standardize_dtype(tensor.dtype)
            return keras.KerasTensor(shapes(tensor), dtype=dtype if own == compute_dtype else own)

        symbols = keras.tree.map_structure(symbol, inputs)
        return _record(function, Recorder(symbols, arguments or {}, dtype), symbols, unpack)

    graph = record(_with_any_batch, compute_dtype)
    data = encoding.encode(graph)
    if not _same(data, encoding.encode(record(_with_any_batch, compute_dtype))):
        raise randomness()
    graph = _for_any_size(graph, lambda: record(_with_any_size, compute_dtype))
    return _for_any_dtype(graph, compute_dtype, lambda other: record(_with_any_batch, other))


def _record(function: Callable[..., Any], recorder: Recorder, inputs: Any, unpack: bool) -> Graph:
    try:
        positional = inputs if unpack and isinstance(inputs, list | tuple) else (inputs,)
        outputs = function(*positional, **recorder.arguments)
    except Refusal:
        raise
    except Exception as error:  # a user's function may raise anything
        raise failure_of(error) from error
    return recorder.graph(outputs)


def _with_any_batch(tensor: Any) -> tuple[int | None, ...]:
    return (None, *tensor.shape[1:]) if len(tensor.shape) else ()


def _with_any_size(tensor: Any) -> tuple[None, ...]:
    return (None,) * len(tensor.shape)


def _for_any_size(graph: Graph, record: Callable[[], Graph]) -> Graph:
    try:
        loose = record()
    except Refusal:  # it needs the sizes
        return graph
    return replace(graph, specs=loose.specs) if _same_but_specs(graph, loose) else graph


def _for_any_dtype(graph: Graph, compute_dtype: str, record: Callable[[str], Graph]) -> Graph:
    """Replace the compute dtype, wherever it follows from the inputs, by what stands for it."""
    other = "float32" if compute_dtype != "float32" else "float16"
    try:
        again = encoding.encode(record(other))
        for spec, kept in zip(again["specs"], graph.specs, strict=True):
            spec["shape"] = None if kept.shape is None else list(kept.shape)
        merged = _merged(encoding.encode(graph), again, compute_dtype, other)
    except Refusal:
        return graph
    return encoding.decode(merged)


def _merged(one: Any, two: Any, dtype: str, other: str) -> Any:
    """What two graphs have in common; where one says `dtype` and the other `other`, the compute dtype.

    Raises:
        Refusal: if they differ in more than that.
    """
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        if one.keys() == {"dtype", "shape", "values"} and (one["dtype"], two["dtype"]) == (dtype, other):
            return _merged_constant(one, two, other)
        if one.keys() == {"shape", "dtype"} and (one["dtype"], two["dtype"]) == (dtype, other):
            return {**one, "dtype": None}
        return {key: _merged(one[key], two[key], dtype, other) for key in one}
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return [_merged(a, b, dtype, other) for a, b in zip(one, two, strict=True)]
    if (one, two) == (dtype, other):
        return {"compute_dtype": True}
    if _same(one, two):
        return one
    raise Refusal("the graph depends on the dtype")


def _merged_constant(one: dict[str, Any], two: dict[str, Any], other: str) -> dict[str, Any]:
    """A constant that was made in the dtype of the inputs; the values of the more precise one are kept."""
    arrays = [encoding.decode_array(entry) for entry in (one, two)]
    precise, rough = sorted(arrays, key=lambda array: array.dtype.itemsize, reverse=True)
    with np.errstate(over="ignore"):
        if not np.array_equal(precise.astype(rough.dtype), rough, equal_nan=True):
            raise Refusal("a constant depends on the dtype")
    return {**(one if precise is arrays[0] else two), "dtype": None}


def _same_but_specs(one: Graph, two: Graph) -> bool:
    return _same(encoding.encode(replace(one, specs=())), encoding.encode(replace(two, specs=())))


def _same(one: Any, two: Any) -> bool:
    """Equal, and of equal types: in Python, 1 == 1.0 == True."""
    return repr(one) == repr(two)


def generalized(graph: Graph, other: Graph) -> Graph | None:
    """One graph for what either holds for, if both are the same function; else None."""
    if not _same_but_specs(graph, other):
        return None
    return replace(graph, specs=tuple(map(_wider, graph.specs, other.specs)))


def _wider(one: InputSpec, two: InputSpec) -> InputSpec:
    if one.shape is None or two.shape is None or len(one.shape) != len(two.shape):
        return replace(one, shape=None)
    return replace(one, shape=tuple(a if a == b else None for a, b in zip(one.shape, two.shape, strict=True)))
