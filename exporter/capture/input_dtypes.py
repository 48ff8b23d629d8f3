"""Dtypes of the inputs of a subclassed model, which Keras does not record: it assumes the compute dtype, even for token ids.

The user's own data tell, else what the model does with an input, else which dtypes it can be traced with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import TYPE_CHECKING, Any

import numpy as np

from exporter.errors import UnsupportedError
from exporter.spec import TensorInfo

if TYPE_CHECKING:
    from exporter.capture.inference import Inference

# What is done with indices and numbers alike: masks, say.
NEUTRAL = frozenset({"Equal", "ExpandDims", "Identity", "NotEqual", "Shape", "StridedSlice"})
KINDS = ("float32", "int32", "string", "bool")
TRIALS = 64  # traces at most


def guessed_inputs(inference: Inference, data: Any) -> tuple[TensorInfo, ...]:
    """Return the inputs with the dtypes that the model seems to take.

    Args:
        inference: the model, with the dtypes that Keras assumes.
        data: the user's own, as for `exporter.export`; None: there are none.

    Raises:
        UnsupportedError: if Keras cannot trace the model with any.
    """
    told = _of_data(inference.inputs, data)
    inputs = tuple(replace(i, dtype=told.get(i.name, i.dtype)) for i in inference.inputs)
    inputs, graph = _traceable(inference, inputs, told)
    return tuple(
        i if i.name in told or i.dtype != "float32" else replace(i, dtype=_cast_to(placeholder) or i.dtype)
        for i, placeholder in zip(inputs, graph.inputs, strict=False)
    )


def _of_data(inputs: Sequence[TensorInfo], data: Any) -> dict[str, str]:
    """Return the dtypes of those arrays of the user's that are not of floats; integers of 64 bits become int32 if they fit."""
    if isinstance(data, Mapping):
        arrays = {name: np.asarray(value) for name, value in data.items()}
    else:
        listed = list(data) if isinstance(data, list | tuple) and len(inputs) > 1 else [] if data is None else [data]
        arrays = {i.name: np.asarray(value) for i, value in zip(inputs, listed, strict=False)}
    return {name: dtype for name, array in arrays.items() if (dtype := _dtype_of(array))}


def _dtype_of(array: np.ndarray) -> str:
    if array.dtype.kind in "OSU":
        return "string"
    if array.dtype in (np.int64, np.uint64):
        limits = np.iinfo(np.int32)
        fits = not array.size or (limits.min <= array.min() and array.max() <= limits.max)
        return "int32" if fits else array.dtype.name
    return array.dtype.name if array.dtype.kind in "biu" else ""


def _traceable(
    inference: Inference, inputs: tuple[TensorInfo, ...], told: Mapping[str, str]
) -> tuple[tuple[TensorInfo, ...], Any]:
    """Return the inputs with the first dtypes that the model can be traced with, and its graph."""
    failure = None
    for dtypes in islice(_trials(inputs, told), TRIALS):
        tried = tuple(replace(i, dtype=dtype) for i, dtype in zip(inputs, dtypes, strict=True))
        try:
            return tried, inference.trace(inference, tried).graph
        except UnsupportedError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _trials(inputs: Sequence[TensorInfo], told: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield dtypes to try: what is assumed first, then all of one kind, then the mixtures with the fewest changes."""
    choices = [(i.dtype,) if i.name in told else tuple(dict.fromkeys((i.dtype, *KINDS))) for i in inputs]
    for kind in (None, *KINDS[1:]):
        yield tuple(kind if kind in options else options[0] for options in choices)
    assumed = tuple(options[0] for options in choices)
    if len(inputs) > 1:
        mixed = islice(product(*choices), 4**4)
        yield from sorted(mixed, key=lambda dtypes: sum(a != b for a, b in zip(dtypes, assumed, strict=True)))


def _cast_to(placeholder: Any) -> str:
    """Return "int32", "bool" or "string" if the values of an input are cast to such, and else only compared or handed on."""
    casts, others, waiting = set(), set(), [placeholder]
    while waiting:
        for op in waiting.pop().consumers():
            if op.type == "Cast":
                casts.add(op.outputs[0].dtype)
            elif op.type in NEUTRAL:
                waiting += [t for t in op.outputs if op.type in ("ExpandDims", "Identity", "StridedSlice")]
            else:
                others.add(op.type)
    if others or not casts:
        return ""
    if any(dtype.is_integer for dtype in casts):
        return "int32"
    return next((name for name in ("bool", "string") if {d.name for d in casts} == {name}), "")
