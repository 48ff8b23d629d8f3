"""The graph of a function: constants, nodes that each call one `keras.ops` function, and references between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from exporter.expressions import operations


@dataclass(frozen=True)
class Input:
    """Stands for the input tensor of this number."""

    index: int


@dataclass(frozen=True)
class Constant:
    """Stands for the array of this name."""

    name: str


@dataclass(frozen=True)
class Result:
    """Stands for an output (of this number, flattened) of an earlier node."""

    node: int
    output: int = 0


@dataclass(frozen=True)
class ComputeDtype:
    """Stands for the name of the dtype in which the layer computes."""


@dataclass(frozen=True)
class InputSpec:
    """What a graph holds for.

    Args:
        shape: None for a dimension of any size; None as a whole for any number of dimensions.
        dtype: None for the compute dtype, else the dtype.
    """

    shape: tuple[int | None, ...] | None
    dtype: str | None

    def fits(self, tensor: Any) -> bool:
        """Whether the graph holds for a tensor of this shape and dtype (sizes that are not known yet are accepted)."""
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        if not (keras.backend.is_float_dtype(dtype) if self.dtype is None else dtype == self.dtype):
            return False
        if self.shape is None:
            return True
        sizes = tuple(tensor.shape)
        if len(sizes) != len(self.shape):
            return False
        return all(None in pair or pair[0] == pair[1] for pair in zip(sizes, self.shape, strict=True))

    def __str__(self) -> str:
        shape = "..." if self.shape is None else ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype or 'float'}[{shape}]"


@dataclass(frozen=True)
class Node:
    """One call of a `keras.ops` function.

    Args:
        op: name below `keras.ops`, of `operations.names()`.
        args: positional arguments; literals, references, and tuples, lists, dicts and slices of them.
        kwargs: likewise, by name.
    """

    op: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """A function of tensors, as data.

    Args:
        structure: the inputs as they are given: an `Input`, or a list, tuple or dict of them.
        specs: what the graph holds for, by the number of the input.
        constants: arrays by name.
        nodes: in an order in which they can be called.
        outputs: a reference, or a list, tuple or dict of them.
        compute_constants: the names of constants that take the compute dtype.
    """

    structure: Any
    specs: tuple[InputSpec, ...]
    constants: Mapping[str, np.ndarray]
    nodes: tuple[Node, ...]
    outputs: Any
    compute_constants: frozenset[str] = frozenset()

    def run(self, inputs: Any, compute_dtype: str) -> Any:
        """Call every node.

        Args:
            inputs: tensors, symbolic or not, in the form of `structure`.
            compute_dtype: name of the dtype that `ComputeDtype` stands for.
        """
        flat = keras.tree.flatten(inputs)
        results: list[list[Any]] = []

        def value(reference: Any) -> Any:
            match reference:
                case Input(index):
                    return flat[index]
                case Constant(name):
                    return self._constant(name, compute_dtype)
                case Result(node, output):
                    return results[node][output]
                case ComputeDtype():
                    return compute_dtype
            return reference

        for node in self.nodes:
            outputs = operations.function(node.op)(*substitute(node.args, value), **substitute(node.kwargs, value))
            results.append(keras.tree.flatten(outputs))
        return substitute(self.outputs, value)

    def _constant(self, name: str, compute_dtype: str) -> np.ndarray:
        array = self.constants[name]
        return array.astype(numpy_dtype(compute_dtype)) if name in self.compute_constants else array


def substitute(value: Any, replace: Callable[[Any], Any]) -> Any:
    """Apply `replace` to every leaf of tuples, lists, dicts and slices."""
    if isinstance(value, tuple):
        return tuple(substitute(member, replace) for member in value)
    if isinstance(value, list):
        return [substitute(member, replace) for member in value]
    if isinstance(value, Mapping):
        return {key: substitute(member, replace) for key, member in value.items()}
    if isinstance(value, slice):
        return slice(*(substitute(part, replace) for part in (value.start, value.stop, value.step)))
    return replace(value)


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of a Keras dtype name; bfloat16 and float8 come from ml_dtypes, which Keras depends on."""
    import ml_dtypes

    return np.dtype(getattr(ml_dtypes, name, name))
