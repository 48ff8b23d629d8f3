"""Which tensors each call of a Keras layer took and gave, noted while a model is traced.

    with overridden({}, calls.recording()):
        concrete = inference.trace(inference.__call__, inputs)

A call is named after the layers that are being called, outermost first, without the model: "encoder/attention/query". The
second call of a layer inside the same outer call ends in "@2". So two traces of one model give equal names, whatever parts
of it are replaced in one of them.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CALL = "keras.src.layers.layer.Layer.__call__"


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer.

    Args:
        name: "encoder/attention/query@2".
        kind: the layer's class.
        inputs: the tensors among its arguments, flat.
        outputs: the tensors that it returned, flat.
    """

    name: str
    kind: str
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


class LayerCalls:
    """The calls of one trace, in the order in which they ended: inner layers come before the layer around them.

    Calls inside other graphs than the first (bodies of loops, graphs made to find a shape) are not noted, and neither are
    the layers below them.
    """

    def __init__(self) -> None:
        self.found: list[LayerCall] = []
        self._graph: Any = None
        self._open: list[str] = []
        self._counts: Counter[str] = Counter()

    @property
    def current(self) -> str:
        """The name of the innermost call that is going on; empty in the model itself."""
        return self._open[-1] if self._open else ""

    def recording(self) -> Mapping[str, Callable[..., Any]]:
        """Return the functions to replace while tracing, as `exporter.capture.patching.overridden` takes them."""
        return {CALL: self._call}

    def _call(self, original: Callable[..., Any], layer: Any, *args: Any, **kwargs: Any) -> Any:
        import tensorflow as tf

        graph = tf.compat.v1.get_default_graph()
        if self._graph is None:
            self._graph = graph
            return original(layer, *args, **kwargs)  # the model itself
        if graph is not self._graph:
            return original(layer, *args, **kwargs)
        with self._named(layer.name) as name:
            result = original(layer, *args, **kwargs)
        inputs, outputs = self._tensors((args, kwargs)), self._tensors(result)
        if outputs:
            self.found.append(LayerCall(name, type(layer).__name__, inputs, outputs))
        return result

    @contextlib.contextmanager
    def _named(self, layer: str) -> Iterator[str]:
        name = "/".join([*self._open[-1:], layer])
        self._counts[name] += 1
        if self._counts[name] > 1:
            name = f"{name}@{self._counts[name]}"
        self._open.append(name)
        try:
            yield name
        finally:
            self._open.pop()

    def _tensors(self, structure: Any) -> tuple[Any, ...]:
        import keras
        import tensorflow as tf

        leaves = keras.tree.flatten(structure)
        return tuple(t for t in leaves if tf.is_tensor(t) and getattr(t, "graph", None) is self._graph)
