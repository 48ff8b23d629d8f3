"""Build translated models: layers by Keras from their configs, graphs by calling them as the nodes say.

A node of Keras 2 is a list [layer, node, tensor, arguments] for each tensor that the layer was called on, with further
tensors among the arguments as [layer, node, tensor].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.errors import LoadError
from exporter.loading.finding import printable
from exporter.loading.legacy import calling, names
from exporter.loading.legacy.operation_names import named
from exporter.loading.legacy.tensorflow_ops import call_of
from exporter.loading.legacy.translation import ORIGINAL_CLASS

_CONSTANT = "_CONSTANT_VALUE"


@dataclass
class Part:
    """One layer of a built model.

    Args:
        class_in_file: the class that the file names.
        name: the name in the file.
        layer: the Keras 3 layer; None for what became plain operations.
        parts: the layers of a nested model.
    """

    class_in_file: str
    name: str
    layer: Any = None
    parts: list[Part] = field(default_factory=list)


@dataclass
class Builder:
    """Builds the models of one file.

    Args:
        custom_objects: for Keras.
        trust: whether Keras may run code of the file.
    """

    custom_objects: Mapping[str, Any]
    trust: bool = False

    def model(self, node: dict[str, Any]) -> tuple[Any, list[Part]]:
        """Build a translated model.

        Raises:
            LoadError: the graph has a gap or a loop, or calls what is not known.
        """
        config = node["config"]
        if node["class_name"] == "Sequential" and node.get("module") == "keras":
            return self._sequential(config)
        if isinstance(config, dict) and "input_layers" in config:
            return self._functional(node)
        return self._deserialized(node), []

    def _sequential(self, config: dict[str, Any]) -> tuple[Any, list[Part]]:
        import keras

        parts = [self._part(layer) for layer in config["layers"]]
        model = keras.Sequential([part.layer for part in parts], name=config.get("name"))
        shape = config.get("build_input_shape")
        if not model.built and shape:
            model.build([None, *shape[1:]] if isinstance(shape, list) else shape)
        return _with_trainable(model, config), parts

    def _functional(self, node: dict[str, Any]) -> tuple[Any, list[Part]]:
        import keras

        config = node["config"]
        ends = [config["input_layers"], config["output_layers"]]
        graph = Graph([(layer, self._part(layer)) for layer in config["layers"]], ends)
        graph.wire()
        inputs = keras.tree.map_structure(lambda tensor: tensor, graph.tensors(config["input_layers"]))
        cls = keras.Model if node.get("module") == "keras.src.models.functional" else self._class_of(node)
        model = cls(inputs, graph.tensors(config["output_layers"]), name=config.get("name"))
        return _with_trainable(model, config), list(graph.parts.values())

    def _class_of(self, node: dict[str, Any]) -> Any:
        from keras.saving import get_registered_object

        return get_registered_object(node["registered_name"], custom_objects=self.custom_objects)

    def _part(self, node: dict[str, Any]) -> Part:
        name = node.get("name") or node["config"].get("name", "")
        part = Part(node.get(ORIGINAL_CLASS, node["class_name"]), name)
        if _is_model(node):
            part.layer, part.parts = self.model(node)
        elif node["class_name"] not in names.TENSORFLOW_CALLS:
            part.layer = self._deserialized(node)
        return part

    def _deserialized(self, node: dict[str, Any]) -> Any:
        import keras

        plain = {key: self._without_graphs(value) for key, value in node.items() if key not in _PLACE}
        return keras.saving.deserialize_keras_object(plain, dict(self.custom_objects), safe_mode=not self.trust)

    def _without_graphs(self, value: Any) -> Any:
        """Models inside of wrappers, as Keras 3 writes them."""
        import keras

        if isinstance(value, list):
            return [self._without_graphs(item) for item in value]
        if not isinstance(value, dict):
            return value
        if _is_model(value):
            return keras.saving.serialize_keras_object(self.model(value)[0])
        return {key: self._without_graphs(item) for key, item in value.items()}


_PLACE = ("name", "inbound_nodes", ORIGINAL_CLASS)


def _is_model(node: dict[str, Any]) -> bool:
    config = node.get("config")
    return "class_name" in node and isinstance(config, dict) and isinstance(config.get("layers"), list)


def _with_trainable(model: Any, config: dict[str, Any]) -> Any:
    if config.get("trainable") is False:
        model.trainable = False
    return model


class Graph:
    """The layers of a Functional model and the tensors between them.

    Args:
        layers: the configs, with their nodes, and the built parts.
        ends: the addresses of inputs and outputs.
    """

    def __init__(self, layers: list[tuple[dict[str, Any], Part]], ends: Any) -> None:
        self.parts = {part.name: part for _, part in layers}
        self._nodes = {part.name: list(config.get("inbound_nodes") or []) for config, part in layers}
        self._configs = {part.name: config for config, part in layers}
        self._names = {part.layer.name for _, part in layers if part.layer is not None}
        self._outputs: dict[str, list[list[Any]]] = {name: [] for name in self.parts}
        # Up to Keras 2.3 the first node of a nested model was its own: calls count from 1.
        self._first = dict.fromkeys(self.parts, 0)
        for name, number in _references([*self._nodes.values(), ends]):
            if name in self.parts and self.parts[name].parts and self._nodes[name] and number >= len(self._nodes[name]):
                self._first[name] = 1

    def wire(self) -> None:
        """Call every layer as often as its nodes say, once the tensors that it needs are there.

        Raises:
            LoadError: if some never are.
        """
        for name, part in self.parts.items():
            if part.layer is not None and not self._nodes[name]:
                self._outputs[name].append(_flat(getattr(part.layer, "output", [])))
        waiting = [name for name in self.parts if self._nodes[name]]
        while waiting:
            before = self._calls()
            waiting = [name for name in waiting if not self._called(name)]
            if self._calls() == before:
                raise _broken(f"the nodes of {', '.join(waiting[:3])} wait for each other")

    def _calls(self) -> int:
        return sum(map(len, self._outputs.values()))

    def _called(self, name: str) -> bool:
        """Make the calls that can be made; whether these were all."""
        nodes, done = self._nodes[name], self._outputs[name]
        while len(done) < len(nodes):
            try:
                inputs, arguments = self._arguments(nodes[len(done)])
            except _NotYet:
                return False
            done.append(_flat(self._function(name)(inputs, **arguments)))
        return True

    def _function(self, name: str) -> Callable[..., Any]:
        part, config = self.parts[name], self._configs[name]
        if part.layer is None:
            call = call_of(config["class_name"], config["config"], part.name)
            return lambda inputs, **kwargs: named(call(inputs, **kwargs), name, self._names, (inputs, kwargs))
        return calling.as_keras2(part.layer, config)

    def _arguments(self, node: Any) -> tuple[Any, dict[str, Any]]:
        kwargs: dict[str, Any] = {}

        def first(data: list[Any]) -> Any:
            if len(data) > 3 and isinstance(data[3], dict):
                kwargs.update({key: self._resolved(value) for key, value in data[3].items()})
            return _constant(data[2]) if data[0] == _CONSTANT else self._tensor(data)

        inputs = _mapped(node, first)
        while isinstance(inputs, list) and len(inputs) == 1:
            inputs = inputs[0]
        return inputs, kwargs

    def _resolved(self, value: Any) -> Any:
        """The arguments of a call, with the tensors in the place of their addresses."""
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            if _is_address(value) and value[0] in self.parts:
                return self._tensor(value)
            if len(value) >= 3 and value[0] == _CONSTANT:
                return _constant(value[2])
            return [self._resolved(item) for item in value]
        return value

    def tensors(self, addresses: Any) -> Any:
        """The tensors at the addresses in a structure; one alone where the list has one."""
        found = _mapped(addresses, self._tensor)
        while isinstance(found, list) and len(found) == 1:
            found = found[0]
        return found

    def _tensor(self, address: list[Any]) -> Any:
        name, node, tensor = address[:3]
        if name not in self.parts:
            raise _broken(f"a node names the layer {name!r}, which is not there")
        done, number = self._outputs[name], node - self._first[name]
        if not 0 <= number < len(done):
            raise _NotYet
        if not 0 <= tensor < len(done[number]):
            raise _broken(f"a node asks for output {tensor} of {name!r}, which has {len(done[number])}")
        return done[number][tensor]


class _NotYet(Exception):  # noqa: N818 - no error: the layer is called later
    """A tensor that a node needs is not there yet."""


def _broken(reason: str) -> LoadError:
    return LoadError("the graph in the model file is broken", reason=printable(reason))


def _constant(value: Any) -> Any:
    """Numbers stay numbers, arrays become tensors of Keras's float, or int32 as in TensorFlow."""
    import keras
    import numpy as np

    if not isinstance(value, list):
        return value
    kind = np.asarray(value).dtype.kind
    return keras.ops.convert_to_tensor(value, dtype={"f": keras.config.floatx(), "i": "int32"}.get(kind))


def _is_address(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(type(number) is int for number in value[1:3])
    )


def _mapped(structure: Any, function: Callable[[list[Any]], Any]) -> Any:
    if _is_address(structure) or (isinstance(structure, list) and structure and structure[0] == _CONSTANT):
        return function(structure)
    if isinstance(structure, dict):
        return {key: _mapped(value, function) for key, value in structure.items()}
    if isinstance(structure, list):
        return [_mapped(value, function) for value in structure]
    raise _broken(f"{structure!r} is no address of a tensor")


def _references(structure: Any) -> list[tuple[str, int]]:
    """Every (layer, node) that is named anywhere in nodes."""
    if isinstance(structure, dict):
        return [found for value in structure.values() for found in _references(value)]
    if not isinstance(structure, list):
        return []
    own = [(structure[0], structure[1])] if _is_address(structure) else []
    return own + [found for value in structure for found in _references(value)]


def _flat(outputs: Any) -> list[Any]:
    import keras

    return list(keras.tree.flatten(outputs))
