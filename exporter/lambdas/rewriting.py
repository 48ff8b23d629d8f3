"""The walk over a model that puts plain operations in the place of Lambda layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras

from exporter.expressions import Graph, Refusal
from exporter.lambdas.conversion import cast_inputs, graph_of
from exporter.lambdas.equivalence import prove
from exporter.lambdas.suggestions import suggestion
from exporter.spec import Problem


class Rewriter:
    """Rewrites a model and the models nested in it, each once.

    Attributes:
        replaced: path of the layer and names of the functions, for each call of a Lambda.
    """

    def __init__(self, model: Any) -> None:
        self.replaced: list[tuple[str, tuple[str, ...]]] = []
        self._kept: dict[int, Problem] = {}
        self._models: dict[int, Any] = {}
        self._last: dict[int, list[Any]] = {}  # the operations that took the name of a Lambda, by its id
        self._names = {layer.name for layer in model._flatten_layers() if not isinstance(layer, keras.layers.Lambda)}

    def rewritten(self, model: Any) -> Any:
        """The model with plain operations; the model itself where there is nothing to do, or nothing can be done."""
        if id(model) not in self._models:
            before = len(self.replaced)
            new = self._rebuilt(model) if _is_graph(model) and any(_lambdas_in(model)) else model
            self._models[id(model)] = new if len(self.replaced) > before else model
        return self._models[id(model)]

    def all_kept(self, model: Any) -> tuple[Problem, ...]:
        """One problem for each Lambda that is still in the model."""
        return tuple(self._kept.get(id(layer)) or _out_of_reach(layer) for layer in _lambdas_in(model))

    def _rebuilt(self, model: Any) -> Any:
        graph = model._functional if isinstance(model, keras.Sequential) else model
        # The tensors of the given model are the inputs again, so that input layers stay what they are.
        outputs = graph._run_through_graph(graph.input, operation_fn=self._in_place_of)
        self._name_in_order(outputs)
        cls = keras.Model if isinstance(model, keras.Sequential) else type(model)
        new = cls(graph.input, outputs, name=model.name)
        if not model.trainable:
            new.trainable = False
        return new

    def _in_place_of(self, operation: Any) -> Callable[..., Any]:
        if isinstance(operation, keras.layers.Lambda):
            return lambda *args, **kwargs: self._replace(operation, *args, **kwargs)
        return self.rewritten(operation) if isinstance(operation, keras.Model) else operation

    def _replace(self, layer: Any, inputs: Any, **kwargs: Any) -> Any:
        try:
            cast = cast_inputs(layer, inputs)
            graph = _proven(layer, inputs, cast, kwargs)
        except Refusal as refusal:
            self._keep(layer, refusal)
            return layer(inputs, **kwargs)
        self.replaced.append((layer.path, tuple(node.op for node in graph.nodes)))
        return self._placed(layer, graph, inputs, cast)

    def _placed(self, layer: Any, graph: Graph, inputs: Any, cast: Any) -> Any:
        """The graph as nodes of the model; the last of them takes the name of the Lambda."""
        given = {id(tensor) for tensor in keras.tree.flatten(inputs)}
        taken = set(given)

        def own(tensor: Any) -> Any:
            """Outputs that are inputs, or the same tensor twice, get a node of their own to bear the name."""
            result = keras.ops.copy(tensor) if id(tensor) in taken else tensor
            taken.add(id(result))
            return result

        outputs = keras.tree.map_structure(own, graph.run(cast, layer.compute_dtype))
        last = list(dict.fromkeys(t._keras_history.operation for t in keras.tree.flatten(outputs)))
        others = [operation for operation in _between(outputs, given) if operation not in last]
        for operation in last:
            operation.name = self._unique(layer.name)
        self._last.setdefault(id(layer), []).extend(last)
        for operation in others:
            operation.name = self._unique(f"{layer.name}_{type(operation).__name__.lower()}")
        return outputs

    def _name_in_order(self, outputs: Any) -> None:
        """Number the names that come from several calls of one Lambda as the outputs are, which come first."""
        makers = list(dict.fromkeys(t._keras_history.operation for t in keras.tree.flatten(outputs)))
        for last in self._last.values():
            first = [operation for operation in makers if operation in last]
            operations = [*first, *(operation for operation in last if operation not in first)]
            names = sorted((operation.name for operation in operations), key=lambda name: (len(name), name))
            for operation, name in zip(operations, names, strict=True):
                operation.name = name

    def _unique(self, name: str) -> str:
        candidates = (f"{name}_{number}" if number else name for number in range(len(self._names) + 1))
        unique = next(candidate for candidate in candidates if candidate not in self._names)
        self._names.add(unique)
        return unique

    def _keep(self, layer: Any, refusal: Refusal) -> None:
        self._kept[id(layer)] = _problem(layer, refusal)
        self._names.add(layer.name)


def _proven(layer: Any, inputs: Any, cast: Any, options: Any) -> Graph:
    """The graph of a call, equal on samples; with narrow arrays if it takes these.

    Raises:
        Refusal: the reason of the first try, which is the one that the user can do something about.
    """
    try:
        graph = graph_of(layer, cast, options)
        prove(layer, graph, inputs)
    except Refusal as refusal:
        try:
            graph = graph_of(layer, cast, options, narrow=True)
            prove(layer, graph, inputs)
        except Refusal:
            raise refusal from None
    return graph


def _is_graph(model: Any) -> bool:
    """Whether the model is nothing but its graph, and its class can be built from inputs and outputs again."""
    if isinstance(model, keras.Sequential):
        return type(model) is keras.Sequential and model._functional is not None
    graph = getattr(model, "_run_through_graph", None) is not None
    return graph and all(_is_of_keras(getattr(type(model), method)) for method in ("__init__", "call"))


def _is_of_keras(method: Any) -> bool:
    return method.__module__.partition(".")[0] == "keras"


def _lambdas_in(model: Any) -> Iterator[Any]:
    return (layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Lambda))


def _between(outputs: Any, given: set[int]) -> list[Any]:
    """The operations that lead from the given tensors to the outputs, first ones first."""
    found: dict[Any, None] = {}
    pending = list(keras.tree.flatten(outputs))
    while pending:
        tensor = pending.pop()
        history = getattr(tensor, "_keras_history", None)
        if id(tensor) in given or history is None or history.operation in found:
            continue
        found[history.operation] = None
        pending.extend(history.operation._inbound_nodes[history.node_index].input_tensors)
    return list(found)[::-1]


def _problem(layer: Any, refusal: Refusal) -> Problem:
    remedy = "; ".join(text for text in (refusal.remedy, suggestion(layer.function)) if text)
    return Problem(f"{layer.path} (Lambda)", refusal.reason, remedy, severity="warning")


def _out_of_reach(layer: Any) -> Problem:
    return _problem(
        layer,
        Refusal(
            "it is called by the code of a layer or model, not in the graph of a Functional or Sequential model",
            "call the keras.ops functions there instead of the Lambda",
        ),
    )
