"""Audit of a serialized model (`config.json`, or `model_config` of an `.h5` file) as plain data.

Every dictionary with a `class_name` makes Keras look something up and build it, wherever it stands. So the walk
goes through the whole document and asks of each: is it on the allow-list (`allowed.py`), or a class that the user
registered or passed? Nothing is imported and nothing is built here; the file's module names are only compared.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from exporter.loading import allowed, limits, verdicts
from exporter.loading.archive import is_traversal
from exporter.loading.finding import Finding

# What Keras itself turns into plain values, without looking up a class.
_VALUE_FORMS = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"})
_LEGACY_VALUE_FORMS = frozenset({"__tuple__", "TensorShape", "__ellipsis__", "__bytes__"})
# Arguments of vocabulary and tokenizer layers that may be the values themselves, or a path from which to read them.
_PATH_ARGUMENTS = frozenset({"vocabulary", "idf_weights", "merges", "proto", "special_tokens", "language_tokens"})
# Element types of constants written out in a config; NumPy would take "S2000000000" as well, two gigabytes each.
_DTYPE = re.compile(r"(u?int|float|bfloat|complex)\d{1,3}|float8_\w{1,12}|bool|string")

# Texts under these keys are looked up as part of their object, or not at all.
_NAMES = (".name", ".class_name", ".registered_name", ".config")
# Lists of layer names and numbers of nodes and tensors.
_WIRING = (".keras_history", ".input_layers", ".output_layers", ".inbound_nodes")


class Names(Protocol):
    """What Keras will find under names that are not its own."""

    def find(self, name: str) -> Any:
        """The object registered or passed under `name`, or None."""

    def find_function(self, name: str) -> Any:
        """The same for functions, whose names Keras used to store without their package."""


@dataclass(frozen=True)
class Place:
    """Where a node of the document stands: the way from the root."""

    step: str
    parent: Place | None = None

    def __str__(self) -> str:
        steps, place = [], self
        while place.parent is not None:
            steps.append(place.step)
            place = place.parent
        return "".join((place.step, *reversed(steps)))


@dataclass(frozen=True)
class ConfigAudit:
    """The walk over one document.

    Args:
        names: what Keras will find under custom names.
        legacy: True for the layout of `.h5` files, where objects carry no module.
        origin: how messages call the document.
        own_module: for files of Keras 2: whether a module was one of its own, so that only the name of the class
            counts, as `exporter.loading.legacy` reads it.
        also: names of classes beyond those of Keras 3 that are not handed to Keras.
    """

    names: Names
    legacy: bool = False
    origin: str = "config.json"
    own_module: Callable[[Any], bool] | None = None
    also: frozenset[str] = frozenset()

    def model_findings(self, document: Any) -> Iterator[Finding]:
        """Every reason to refuse a document that must be a serialized model."""
        if not isinstance(document, dict) or not document.keys() >= {"class_name", "config"}:
            yield Finding("no serialized model", self.origin, "the file holds something else", unsafe=False)
        else:
            yield from self.findings(document)

    def findings(self, document: Any) -> Iterator[Finding]:
        """Every reason to refuse a document, up to a number that nobody reads."""
        pending: list[tuple[Any, Place, int]] = [(document, Place(self.origin), 0)]
        values = objects = found = 0
        while pending:
            node, place, depth = pending.pop()
            for finding in self._judge(node, place):
                yield finding
                found += 1
            values += 1
            objects += isinstance(node, dict) and "class_name" in node
            if depth > limits.CONFIG_DEPTH:
                yield Finding(f"nested deeper than {limits.CONFIG_DEPTH} levels", str(place)[:200])
            elif values > limits.CONFIG_VALUES or objects > limits.CONFIG_OBJECTS:
                allowed_sizes = f"{limits.CONFIG_OBJECTS} objects and {limits.CONFIG_VALUES} values"
                yield Finding(f"longer than {allowed_sizes}", self.origin)
            elif found < limits.FINDINGS:
                pending.extend((child, Place(step, place), depth + 1) for step, child in _children(node))
                continue
            return

    def _judge(self, node: Any, place: Place) -> Iterator[Finding]:
        if isinstance(node, str):
            yield from self._judge_text(node, place)
        elif isinstance(node, dict):
            yield from _judge_strings(node, place)
            if "class_name" in node:
                yield from self._judge_object(node, str(place))

    def _judge_text(self, text: str, place: Place) -> Iterator[Finding]:
        """A bare string may name a function: `activation="relu"`."""
        if text in allowed.ALL_FUNCTION_NAMES and not place.step.endswith(_NAMES) and not _is_reference(place):
            custom = self.names.find(text)
            if custom is not None and not _from_keras(custom):
                yield verdicts.overridden(text, custom, str(place))

    def _judge_object(self, node: dict[str, Any], where: str) -> Iterator[Finding]:
        name = node["class_name"]
        if not all(isinstance(node.get(key), str | None) for key in ("class_name", "module", "registered_name")):
            yield Finding("class_name, module and registered_name must be texts", where)
        elif name == "__lambda__":
            yield verdicts.bytecode("a function", where, self.legacy)
        elif name == "Lambda" and _holds_bytecode(node):
            yield verdicts.bytecode("a Lambda layer", where, self.legacy)
        elif name == "function":
            yield from self._judge_function(node, where)
        elif name in _VALUE_FORMS or (self.legacy and name in _LEGACY_VALUE_FORMS):
            yield from _judge_value(node, where)
        else:
            yield from self._judge_class(node, str(name), where)

    def _judge_class(self, node: dict[str, Any], name: str, where: str) -> Iterator[Finding]:
        """Mirrors how Keras looks a class up: custom names first, whatever the module says, then its own."""
        module, registered = node.get("module"), node.get("registered_name", name)
        known = allowed.ALL_CLASS_NAMES | self.also
        if self.own_module is not None and self.own_module(module):
            node, module = {}, None
            registered = registered or name
        custom = self.names.find(registered) if registered else None
        builtin = _is_keras(module) or (self.legacy and name in known)
        if custom is not None and builtin and not _from_keras(custom):
            yield verdicts.overridden(name, custom, where)
        elif module is not None and _is_keras(module):
            yield from self._judge_builtin(module, name, registered, custom, where)
        elif custom is not None:
            return
        elif name in allowed.DENIED:
            yield verdicts.denied(name, where)
        elif self.legacy and (_is_operation(name) or _is_wired_as_operation(node)):
            yield verdicts.operation_in_legacy(name, where)
        elif name not in self.also and ("module" in node or name not in known | {"Lambda"}):
            yield verdicts.unknown("class", name, registered, module, where)

    def _judge_builtin(self, module: str, name: str, registered: str, custom: Any, where: str) -> Iterator[Finding]:
        if registered not in (None, "", name):
            yield verdicts.renamed(f"{module}.{name}", registered, where)
        elif name in allowed.DENIED:
            yield verdicts.denied(name, where)
        elif custom is None and name != "Lambda" and not allowed.allows_class(module, name):
            yield verdicts.not_allowed("class", module, name, where)

    def _judge_function(self, node: dict[str, Any], where: str) -> Iterator[Finding]:
        module, name, registered = node.get("module"), node.get("config"), node.get("registered_name")
        if not isinstance(name, str):
            yield Finding("a function must be named by a text", where)
            return
        builtin = allowed.allows_function(module or "", name)
        if self.own_module is not None and self.own_module(module):
            builtin, module = name in allowed.ALL_FUNCTION_NAMES, None
        custom = self.names.find(name) if builtin else self.names.find_function(name)
        if custom is not None and builtin and not _from_keras(custom):
            yield verdicts.overridden(name, custom, where)
        elif custom is not None:
            return
        elif builtin and registered not in (None, "", "function", name):
            yield verdicts.renamed(name, registered, where)
        elif not builtin and module is not None and _is_keras(module):
            yield verdicts.not_allowed("function", module, name, where)
        elif not builtin:
            yield verdicts.unknown("function", name, registered, module, where)


def _is_reference(place: Place) -> bool:
    """Whether a text is the name of a layer in the wiring of the graph, from which Keras looks no object up."""
    while place.step.startswith("[") and place.parent is not None:
        place = place.parent
    return place.step.endswith(_WIRING)


def _children(node: Any) -> list[tuple[str, Any]]:
    """The nodes below, last first, as a stack wants them; layers are called by their names."""
    if isinstance(node, dict):
        label = _label(node) if "class_name" in node else ""
        return [(f"{label}.{key}", child) for key, child in reversed(node.items())]
    if isinstance(node, list):
        return [(f"[{index}]", node[index]) for index in reversed(range(len(node)))]
    return []


def _label(node: dict[str, Any]) -> str:
    """`<dense_1>` for a layer of this name."""
    config = node.get("config")
    name = node.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return f"<{name}>" if isinstance(name, str) else ""


def _is_keras(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] == "keras"


def _from_keras(custom: Any) -> bool:
    return _is_keras(getattr(custom, "__module__", None))


def _is_wired_as_operation(node: dict[str, Any]) -> bool:
    """Whether a node that Keras 3 wrote is a call of keras.ops, whose name may be a layer's too: Add, Maximum."""
    nodes, config = node.get("inbound_nodes"), node.get("config")
    wired_by_keras_3 = isinstance(nodes, list) and bool(nodes) and isinstance(nodes[0], dict)
    return wired_by_keras_3 and isinstance(config, dict) and "trainable" not in config


def _is_operation(name: str) -> bool:
    """Whether `keras.ops`, but no layer, has a class of this name; asked of the modules that Keras has imported."""
    modules = (sys.modules.get(module) for module in allowed.OP_MODULES)
    return name not in allowed.ALL_CLASS_NAMES and any(hasattr(module, name) for module in modules)


def _judge_strings(node: dict[str, Any], place: Place) -> Iterator[Finding]:
    """Names become parts of paths (of weights, of asset files); some arguments may be paths."""
    name = node.get("name")
    if isinstance(name, str) and is_traversal(name):
        yield verdicts.traversal(name, str(place))
    for key in sorted(_PATH_ARGUMENTS & node.keys()):
        if isinstance(node[key], str):
            yield verdicts.path_argument(key, node[key], str(place))


def _judge_value(node: dict[str, Any], where: str) -> Iterator[Finding]:
    config = node.get("config")
    dtype = config.get("dtype") if isinstance(config, dict) else None
    if dtype is not None and not (isinstance(dtype, str) and _DTYPE.fullmatch(dtype)):
        yield Finding(f"{dtype!r} is not an element type of Keras", where)


def _holds_bytecode(node: dict[str, Any]) -> bool:
    """Legacy files store bytecode as a list [code, defaults, closure], with `function_type: lambda`."""
    config = node.get("config")
    if not isinstance(config, dict):
        return True
    parts = [config.get(key) for key in ("function", "output_shape", "mask")]
    return (
        isinstance(parts[0], list)
        or any(isinstance(part, dict) and part.get("class_name") == "__lambda__" for part in parts)
        or "lambda" in (config.get("function_type"), config.get("output_shape_type"))
    )
