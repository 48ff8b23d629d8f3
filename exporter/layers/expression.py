"""A function of `keras.ops` as a layer: short as a Lambda, stored as data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras

from exporter.authoring.registration import serializable
from exporter.expressions import Graph, Refusal, decode, encode, trace
from exporter.expressions.elementwise import is_elementwise
from exporter.expressions.tracing import generalized
from exporter.layers._shape import Shape


@serializable("Expression")
class Expression(keras.Layer):
    """Computes a function of `keras.ops` and operators, which is stored as a graph of operations, as data.

    The function is traced when the layer is called for the first time. From then on only its graph is used: a saved
    model holds no code, reloads in safe mode, and needs nothing but `import exporter.layers`.

        distance = Expression(lambda a, b: ops.sum(ops.square(a - b), axis=-1))([first, second])
        scaled = Expression(lambda x, mean: (x - mean) / 2, arguments={"mean": np.array([0.5, 0.2])})(image)

    The input is a tensor, or a list, tuple or dict of tensors. A list or tuple is passed as one argument each if the
    function takes several. The output is what the function returns: a tensor, or a list, tuple or dict. A mask is
    passed on where every element is computed by itself.

    One layer may be called in several models, and on shapes of any size for which its graph is the same.

    Args:
        fn: the function; or a graph, as `get_config` gives it.
        arguments: of the function, by name: numbers, texts and booleans, and arrays, which become named constants.
        **kwargs: `name`, `dtype`, `trainable` of every Keras layer.

    Raises:
        TypeError: if `fn` is neither a function nor a graph.
        ValueError: if `fn` is no graph of `keras.ops`; or, at the first call, if the function cannot be written down:
            it decides in Python by the values of a tensor, draws random numbers, holds large arrays, or calls
            something outside of `keras.ops`.
    """

    def __init__(
        self,
        fn: Callable[..., Any] | Mapping[str, Any],
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._function: _Traceable | None = None
        self._graph: Graph | None = None
        if isinstance(fn, Mapping):
            if arguments:
                raise ValueError("Expression: a graph has its arguments in it; give `arguments` with a function only")
            self._accept(decode(fn))
        elif callable(fn):
            self._function = _Traceable(fn, arguments)
        else:
            raise TypeError(f"Expression: `fn` must be a function, not {fn!r} ({type(fn).__name__})")

    @property
    def constants(self) -> dict[str, Any]:
        """The constants by name, as NumPy arrays."""
        return dict(self._traced().constants)

    def call(self, inputs: Any) -> Any:
        """Compute the function."""
        return self._graph_for(inputs).run(inputs, self.compute_dtype)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Shapes and dtypes of the outputs."""
        symbols = keras.tree.map_structure(lambda t: keras.KerasTensor(t.shape, dtype=t.dtype), inputs)
        outputs = self._graph_for(inputs).run(symbols, self.compute_dtype)
        return keras.tree.map_structure(lambda t: keras.KerasTensor(t.shape, dtype=t.dtype), outputs)

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Shapes of the outputs, for inputs of the compute dtype, or of those that the layer was called on before."""
        dtypes = iter([spec.dtype for spec in self._graph.specs] if self._graph else ())
        inputs = keras.tree.map_shape_structure(
            lambda shape: keras.KerasTensor(shape, dtype=next(dtypes, None) or self.compute_dtype), input_shape
        )
        return keras.tree.map_structure(lambda tensor: tensor.shape, self.compute_output_spec(inputs))

    def get_config(self) -> dict[str, Any]:
        """The graph, which needs no arguments any more.

        Raises:
            ValueError: if the layer was never called, and so has no graph yet.
        """
        return {**super().get_config(), "fn": encode(self._traced()), "arguments": None}

    def _traced(self) -> Graph:
        if self._graph is None:
            raise ValueError(f"Expression {self.name!r} has no graph yet: call it once, or build the model it is in")
        return self._graph

    def _accept(self, graph: Graph) -> None:
        self._graph = graph
        self.supports_masking = is_elementwise(graph)

    def _graph_for(self, inputs: Any) -> Graph:
        """The graph, traced now if that is necessary; it must hold for these inputs."""
        graph = self._graph
        if graph is None or not _fits(graph, inputs):
            new = self._trace(inputs)
            self._accept(new if graph is None else self._both(graph, new))
        return self._traced()

    def _trace(self, inputs: Any) -> Graph:
        if self._function is None:
            raise ValueError(f"Expression {self.name!r}: {_difference(self._traced(), inputs)}")
        try:
            return self._function.trace(inputs, self.compute_dtype)
        except Refusal as refusal:
            raise ValueError(
                f"Expression {self.name!r} cannot be stored as data: {refusal.reason}.\n  fix: {refusal.remedy}"
            ) from refusal

    def _both(self, graph: Graph, new: Graph) -> Graph:
        both = generalized(graph, new)
        if both is None:
            raise ValueError(
                f"Expression {self.name!r} is another graph for inputs of this kind than for "
                f"{', '.join(map(str, graph.specs))}; make a second Expression of the function"
            )
        return both


class _Traceable:
    """A function with its arguments."""

    def __init__(self, function: Callable[..., Any], arguments: Mapping[str, Any] | None) -> None:
        self.function, self.arguments = function, arguments or {}

    def trace(self, inputs: Any, compute_dtype: str) -> Graph:
        return trace(
            self.function,
            inputs,
            compute_dtype=compute_dtype,
            arguments=self.arguments,
            unpack=_takes_several(self.function, self.arguments),
        )


def _takes_several(function: Callable[..., Any], arguments: Mapping[str, Any]) -> bool:
    """Whether the function has more than one parameter that only the inputs can fill."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return True
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(p.default is p.empty and p.name not in arguments for p in positional) > 1


def _fits(graph: Graph, inputs: Any) -> bool:
    tensors = keras.tree.flatten(inputs)
    if len(tensors) != len(graph.specs) or not _same_form(graph.structure, inputs):
        return False
    return all(spec.fits(tensor) for spec, tensor in zip(graph.specs, tensors, strict=True))


def _same_form(structure: Any, inputs: Any) -> bool:
    """Lists and tuples count as the same: Keras turns one into the other when it reloads a model."""
    if isinstance(structure, Mapping) or isinstance(inputs, Mapping):
        return isinstance(structure, Mapping) and isinstance(inputs, Mapping) and structure.keys() == inputs.keys()
    return isinstance(structure, list | tuple) == isinstance(inputs, list | tuple)


def _difference(graph: Graph, inputs: Any) -> str:
    given = [f"{keras.backend.standardize_dtype(t.dtype)}{list(t.shape)}" for t in keras.tree.flatten(inputs)]
    wanted = ", ".join(map(str, graph.specs))
    return f"its graph holds for inputs of {wanted}, not for {', '.join(given) or 'none'}"
