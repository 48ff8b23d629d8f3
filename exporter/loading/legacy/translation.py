"""From a config of Keras 2 to one of Keras 3, as data: nothing is built here.

Models keep their layers and nodes in the layout of Keras 2, which `wiring.py` reads; every layer, initializer,
regularizer and constraint gets the module, the name and the arguments by which Keras 3 knows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exporter.loading import allowed
from exporter.loading.config import Names
from exporter.loading.legacy import activations, names
from exporter.loading.legacy.families import FAMILIES, Rule
from exporter.loading.legacy.layer_config import LayerConfig, Remarks
from exporter.loading.legacy.parameters import parameters_of

ORIGINAL_CLASS = "class_in_file"  # a key of translated layers: archives call layers by it
_KINDS = ("layers", "initializers", "regularizers", "constraints")
_LAYER_KEYS = ("cell", "cells", "layer", "backward_layer", "forward_layer")
# Arguments without meaning at these values, wherever Keras 3 does not know them; None stands for every value.
_MEANINGLESS: dict[str, tuple[Any, ...] | None] = {
    "adjustment": (None,),
    "autocast": None,
    "batch_input_shape": None,
    "dynamic": (False,),
    "experimental_autocast": None,
    "force_generator": None,
    "groups": (1,),
    "implementation": None,
    "input_dim": None,
    "input_dtype": None,
    "input_length": None,
    "input_shape": None,
    "input_spec": None,
    "noise_shape": (None,),
    "partitioner": (None,),
    "ragged": (False,),
    "rng_type": None,
    "sparse": (False, None),
    "trainable": None,
    "vocabulary_size": None,
    "weights": (None,),
}


@dataclass
class Translator:
    """Translates one file.

    Args:
        custom: what the user registered or passed: such classes keep their configs.
        remarks: what is told of the file.
    """

    custom: Names
    remarks: Remarks = field(default_factory=Remarks)

    def model(self, node: dict[str, Any]) -> dict[str, Any]:
        """Translate the root of a file, or a model in a model."""
        config = node.get("config")
        if self._is_custom(node) and not _is_graph(config):
            return self._custom_object(node)
        if isinstance(config, list):  # Sequential models up to Keras 2.2.2
            config = {"name": node.get("name", "sequential"), "layers": config}
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            self.remarks.refuse(str(node.get("class_name")), "a model without layers")
            return node
        layers = [self._placed_layer(layer) for layer in config["layers"] if isinstance(layer, dict)]
        kept = {key: self.value(value) for key, value in config.items() if key not in ("layers", "build_input_shape")}
        kept["name"] = self.name(config.get("name"))
        kept |= {"layers": layers, "build_input_shape": _plain(config.get("build_input_shape"))}
        if self._is_custom(node):
            return {**self._identity(node), "config": kept}
        sequential = node.get("class_name") == "Sequential"
        if sequential:
            layers[:0] = _input_of(config["layers"])
        module, name = ("keras", "Sequential") if sequential else ("keras.src.models.functional", "Functional")
        return {"module": module, "class_name": name, "config": kept, "registered_name": None}

    def _placed_layer(self, node: dict[str, Any]) -> dict[str, Any]:
        """A layer of a model, with its place in the graph."""
        placed: dict[str, Any] = {key: node[key] for key in ("name", "inbound_nodes") if key in node}
        return {**self.layer(node), **placed, ORIGINAL_CLASS: str(node.get("class_name"))}

    def layer(self, node: dict[str, Any]) -> dict[str, Any]:
        """Translate a layer, or a model that stands where a layer may stand."""
        name, config = node.get("class_name"), node.get("config")
        if (name in names.MODELS and names.is_own_module(node.get("module"))) or _is_graph(config):
            return self.model(node)
        if self._is_custom(node) or not names.is_own_module(node.get("module")) or not isinstance(config, dict):
            return self._custom_object(node)
        if name in names.TENSORFLOW_CALLS:
            return {"module": None, "class_name": name, "config": config, "registered_name": name}
        return self._own_layer(str(name), dict(config))

    def _own_layer(self, name: str, config: dict[str, Any]) -> dict[str, Any]:
        layer = LayerConfig(names.LAYER_NAMES.get(name, name), config, self.remarks)
        if name in names.GONE:
            layer.refuse(f"Keras 3 has no {name}", names.GONE[name])
        layer.config = {key: _plain(value) for key, value in config.items()}
        rule: Rule | None = FAMILIES.get(name) or FAMILIES.get(layer.class_name)
        if rule is not None:
            rule(layer)
        self._drop_meaningless(layer)
        translated = {key: self._argument(layer, key, value) for key, value in layer.config.items()}
        module = layer.module or names.module_of("layers", layer.class_name)
        registered = layer.registered_name or (None if module else layer.class_name)
        return {"module": module, "class_name": layer.class_name, "config": translated, "registered_name": registered}

    def _drop_meaningless(self, layer: LayerConfig) -> None:
        accepted = _arguments_of(layer)
        if accepted is None:
            return
        for key in [key for key in layer.config if key not in accepted]:
            value = layer.config.pop(key)
            allowed = _MEANINGLESS.get(key, ())
            if allowed is not None and not any(value is v or (v is not None and value == v) for v in allowed):
                layer.refuse(f"{key}={value!r} has no counterpart in Keras 3")

    def _argument(self, layer: LayerConfig, key: str, value: Any) -> Any:
        if key in activations.ARGUMENTS:
            return activations.translated(value, layer, self)
        if key == "dtype":
            return self.dtype(value)
        if key == "name":
            return self.name(value)
        kind = next((kind for kind in _KINDS[1:] if key.endswith(kind[:-1])), None)
        return self.value(value, "layers" if key in _LAYER_KEYS else kind)

    def value(self, value: Any, kind: str | None = None) -> Any:
        """Translate whatever stands in a config."""
        value = _plain(value)
        if isinstance(value, list):
            return [self.value(item, kind) for item in value]
        if isinstance(value, dict):
            return self._object(value, kind) if "class_name" in value else {k: self.value(v) for k, v in value.items()}
        if isinstance(value, str) and kind in _KINDS[1:]:
            return names.INITIALIZER_NAMES.get(value, value)
        return value

    def _object(self, node: dict[str, Any], kind: str | None) -> Any:
        name, config = str(node["class_name"]), node.get("config")
        if name == "function" and isinstance(config, str) and config in allowed.ALL_FUNCTION_NAMES:
            return {"module": "builtins", "class_name": "function", "config": config, "registered_name": "function"}
        if not names.is_own_module(node.get("module")) or self._is_custom(node):
            return self._custom_object(node)
        if name in ("Policy", "PolicyV1", "DTypePolicy"):
            return self.dtype(node)
        if kind == "layers" or name in names.MODELS:
            return self.layer(node)
        return self._small_object(node, name, kind)

    def _small_object(self, node: dict[str, Any], name: str, kind: str | None) -> Any:
        """An initializer, a regularizer or a constraint."""
        if name == "RadialConstraint":
            lost = "Keras 3 has no such constraint: left out, it matters in training"
            self.remarks.note(name, lost, severity="warning")
            return None
        name, config = names.INITIALIZER_NAMES.get(name, name), node.get("config")
        for candidate in (kind,) if kind else _KINDS[1:]:
            module = names.module_of(candidate, name)
            if module and isinstance(config, dict):
                kept = {k: self.value(v) for k, v in config.items() if k != "dtype"}
                return {"module": module, "class_name": name, "config": kept, "registered_name": None}
        return self.layer(node) if kind is None and names.module_of("layers", name) else self._custom_object(node)

    def dtype(self, value: Any) -> Any:
        """A dtype, or what was a policy."""
        if not isinstance(value, dict):
            return value
        config = value.get("config")
        name = config.get("name") if isinstance(config, dict) else None
        if name in (None, "infer", "_infer"):
            return "float32"
        return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}

    def name(self, value: Any) -> Any:
        """Keras 3 allows no slash in a name."""
        if not isinstance(value, str) or "/" not in value or ".." in value:
            return value
        self.remarks.note("names", "slashes in names of layers became underscores: Keras 3 allows none")
        return value.replace("/", "_")

    def _custom_object(self, node: dict[str, Any]) -> dict[str, Any]:
        """An object of the user, or of nobody: the audit says so. Only what Keras itself wrote into it is translated."""
        config = node.get("config")
        if isinstance(config, dict) and node.get("class_name") != "__lambda__":
            config = {key: self.value(value) for key, value in config.items() if key != "batch_input_shape"}
            if "dtype" in config:
                config["dtype"] = self.dtype(config["dtype"])
        return {**node, **self._identity(node), "config": config}

    def _identity(self, node: dict[str, Any]) -> dict[str, Any]:
        name = str(node.get("class_name"))
        registered = node.get("registered_name") or name
        return {"module": node.get("module"), "class_name": name, "registered_name": registered}

    def _is_custom(self, node: dict[str, Any]) -> bool:
        name = node.get("registered_name") or node.get("class_name")
        return isinstance(name, str) and self.custom.find(name) is not None


def _is_graph(config: Any) -> bool:
    return isinstance(config, dict) and config.keys() >= {"layers", "input_layers", "output_layers"}


def _plain(value: Any) -> Any:
    """Tuples, shapes and arrays as Keras 2's JSON spelled them."""
    if isinstance(value, dict):
        if value.get("class_name") in ("__tuple__", "TensorShape") and "items" in value:
            return value["items"]
        if value.get("type") == "ndarray" and "value" in value:
            return value["value"]
    return value


def _input_of(layers: list[Any]) -> list[dict[str, Any]]:
    """The input of a Sequential model, which the first layer stated; none where it is a layer of its own."""
    first = layers[0] if layers and isinstance(layers[0], dict) else {}
    config = first.get("config")
    config = config if isinstance(config, dict) else {}
    shape = _plain(config.get("batch_input_shape"))
    if shape is None or first.get("class_name") == "InputLayer":
        return []
    dtype = config["dtype"] if isinstance(config.get("dtype"), str) else "float32"
    stated = {"batch_shape": shape, "dtype": dtype, "name": f"{config.get('name', 'first')}_input".replace("/", "_")}
    return [{"module": "keras.layers", "class_name": "InputLayer", "config": stated, "registered_name": None}]


def _arguments_of(layer: LayerConfig) -> frozenset[str] | None:
    """The arguments that Keras 3's class takes; None for a class that `keras.layers` does not have."""
    import keras

    cls = None if layer.registered_name else getattr(keras.layers, layer.class_name, None)
    return None if cls is None else parameters_of(cls)
