"""The map from the calls of Keras layers to the tensors of the file that hold what they took and gave.

It stands in the file's metadata as JSON, in the order of the calls:

    {"encoder/dense_3": {"kind": "Dense", "place": "encoder#0/dense#0", "inputs": [["image", [0, 1]]],
                         "outputs": [["encoder/dense_3/MatMul:0", [0, 1]]]}}

A tensor is `[name, order]`, where the file's axis i is Keras's axis `order[i]`; null for an axis of size 1 that Keras does
not have. The place is the name without Keras's counts (`exporter.capture.auto_names`), which are others where the model is
loaded again and its class makes the layers. What the passes merged with something else, or left out, is not in the map.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from exporter.capture.auto_names import places
from exporter.capture.layer_calls import LayerCall
from exporter.formats.onnx.builder.value import Value

KEY = "keras_layers"  # of ModelProto.metadata_props
READER = "exporter"  # domain of the node that reads the map's tensors while the graph is tidied


@dataclass(frozen=True)
class Place:
    """Where a tensor of Keras stands in the file: its name, and Keras's axis for each of the file's, None for none."""

    name: str
    order: tuple[int | None, ...]

    def to_keras(self, array: np.ndarray) -> np.ndarray:
        """Return what stands there with Keras's axes."""
        axes, extra = self._axes
        return array.squeeze(extra).transpose(np.argsort(axes)) if self.order else array

    def to_file(self, array: np.ndarray) -> np.ndarray:
        """Return an array of Keras as it stands there."""
        axes, extra = self._axes
        return np.array(np.expand_dims(array.transpose(axes), extra), order="C")

    @property
    def _axes(self) -> tuple[list[int], tuple[int, ...]]:
        """Keras's axes in the file's order, and the file's axes that Keras does not have."""
        return [a for a in self.order if a is not None], tuple(i for i, a in enumerate(self.order) if a is None)


@dataclass(frozen=True)
class MappedCall:
    """One call of a layer in the file: its name, the layer's class, its place, what it took and what it gave."""

    name: str
    kind: str
    place: str
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]


class LayerMap:
    """The map while the graph is tidied: what stands in for a tensor is followed.

    Args:
        calls: of the traced model.
        values: the value in the file for each tensor of the trace, by the tensor's `ref()`.
        graph: the graph, before it is tidied.
    """

    def __init__(self, calls: Sequence[LayerCall], values: Mapping[Any, Any], graph: ir.Graph) -> None:
        self._calls = calls
        self._graph = graph
        tensors = {t.ref() for call in calls for t in (*call.inputs, *call.outputs)}
        known = {ref: value for ref in tensors if isinstance(value := values.get(ref), Value)}
        held = {ref: value.held or (value.ir, value.order) for ref, value in known.items() if value.ir is not None}
        self._orders = {ref: order for ref, (_, order) in held.items()}
        self._keys = list(held)
        self._reader = ir.Node(READER, "LayerMap", [value for value, _ in held.values()])
        self._values: dict[Any, ir.Value | None] = {}

    @contextlib.contextmanager
    def followed(self) -> Iterator[None]:
        """Follow what replaces the tensors inside this context: as if a last node of the graph read all of them."""
        self._graph.append(self._reader)
        yield
        self._look_through()
        self._values = dict(zip(self._keys, self._reader.inputs, strict=True))
        self._graph.remove(self._reader, safe=True)

    def _look_through(self) -> None:
        """Take what a Squeeze takes that nothing but the map needs: it has more axes, of one element."""
        for place, key in enumerate(self._keys):
            value = self._reader.inputs[place]
            while value is not None and (source := _squeezed(value)) is not None:
                value, axes = source
                for axis in axes:
                    self._orders[key] = (*self._orders[key][:axis], None, *self._orders[key][axis:])
            self._reader.replace_input_with(place, value)

    def encode(self) -> str:
        """Return the map as JSON, of what the finished graph holds."""
        known = set(self._graph.inputs).union(*(node.outputs for node in self._graph))

        def held(tensors: Sequence[Any]) -> list[list[Any]]:
            found = [(self._values.get(t.ref()), self._orders.get(t.ref(), ())) for t in tensors]
            return [[value.name, list(order)] for value, order in found if value is not None and value in known]

        entries = {}
        for call, place in zip(self._calls, places([call.name for call in self._calls]), strict=True):
            inputs, outputs = held(call.inputs), held(call.outputs)
            if len(outputs) == len(call.outputs):
                entries[call.name] = {"kind": call.kind, "place": place, "inputs": inputs, "outputs": outputs}
        return json.dumps(entries)


def _squeezed(value: ir.Value) -> tuple[ir.Value, list[int]] | None:
    """Return what a value was squeezed from, and the axes that are gone, ascending; None if something needs it as it is."""
    node = value.producer()
    if node is None or node.op_type != "Squeeze" or value.is_graph_output() or len(node.inputs) != 2:
        return None
    source, axes = node.inputs
    if (
        source is None
        or axes is None
        or axes.const_value is None
        or not all(is_reader(user) for user, _ in value.uses())
    ):
        return None
    return source, sorted(int(axis) for axis in axes.const_value.numpy())


def is_reader(node: ir.Node) -> bool:
    """Whether a node only stands for the map, so that what it reads may go."""
    return node.domain == READER


def let_go(value: ir.Value) -> None:
    """Take a value out of the map: no tensor of the file holds it any more."""
    for user, place in value.uses():
        if is_reader(user):
            user.replace_input_with(place, None)


def read(path: Path) -> tuple[MappedCall, ...]:
    """Return the map that a file holds; empty if it holds none."""
    proto = onnx.load(path, load_external_data=False)
    text = next((p.value for p in proto.metadata_props if p.key == KEY), "{}")
    return tuple(
        MappedCall(name, entry["kind"], entry["place"], _places(entry["inputs"]), _places(entry["outputs"]))
        for name, entry in json.loads(text).items()
    )


def _places(pairs: Sequence[Sequence[Any]]) -> tuple[Place, ...]:
    return tuple(Place(name, tuple(order)) for name, order in pairs)
