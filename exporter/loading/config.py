"""Audit of a serialized model (`config.json`, or `model_config` of an `.h5` file) as plain data.

Every dictionary with a `class_name` makes Keras look something up and build it, wherever it stands, and so may a bare text.
So the walk goes through the whole document and asks of each: is it on the allow-list (`allowed.py`), or of the user
(`custom.py`), and of the kind that belongs there (`kinds.py`)? Nothing is imported and nothing is built here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Any, Protocol

from exporter.loading import allowed, keras_names, kinds, limits, values, verdicts
from exporter.loading.finding import Finding
from exporter.loading.places import Place, children

# Texts under these keys are looked up as part of their object, or not at all.
_NAMES = (".name", ".class_name", ".registered_name", ".config")


class Names(Protocol):
    """What Keras will find under names that are not its own."""

    def find(self, name: str) -> Any:
        """The object registered or passed under `name`, or None."""

    def find_function(self, name: str) -> Any:
        """The same for functions, whose names Keras used to store without their package."""

    @property
    def known(self) -> Set[str]:
        """Every such name."""

    def is_named(self, thing: Any) -> bool:
        """Whether the user named the object: passed it, or named the module that defines it."""

    def is_vouched_for(self, thing: Any) -> bool:
        """Whether it is of the user, of this package, or a class of Keras Hub."""


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
            yield from self.findings(document, kinds.MODEL)

    def findings(self, document: Any, demand: kinds.Demand | None = None) -> Iterator[Finding]:
        """Every reason to refuse a document, up to a number that nobody reads.

        Args:
            document: what the file holds.
            demand: what it must be; None for a collection.
        """
        pending: list[tuple[Any, Place, int]] = [(document, Place(self.origin, demand=demand), 0)]
        patterns: list[tuple[str, Place]] = []
        seen, objects, found, longest = 1, 0, 0, 0
        while pending:
            node, place, depth = pending.pop()
            for finding in self._judge(node, place):
                yield finding
                found += 1
            seen += len(node) if isinstance(node, dict | list) else 0
            objects += isinstance(node, dict) and "class_name" in node
            longest = max(longest, place.names)
            patterns.extend((pattern, place) for pattern in values.patterns(node))
            if depth > limits.CONFIG_DEPTH:
                yield Finding(f"nested deeper than {limits.CONFIG_DEPTH} levels", str(place)[:200])
            elif seen > limits.CONFIG_VALUES or objects > limits.CONFIG_OBJECTS:
                allowed_sizes = f"{limits.CONFIG_OBJECTS} objects and {limits.CONFIG_VALUES} values"
                yield Finding(f"longer than {allowed_sizes}", self.origin)
            elif len(patterns) > limits.PATTERNS:
                yield Finding(f"more than {limits.PATTERNS} regular expressions", self.origin)
            elif found < limits.FINDINGS:
                below = children(node, place, self._is_named(node), self._matters)
                pending.extend((child, where, depth + 1) for child, where in below)
                continue
            return
        for pattern, place in patterns:
            yield from values.judge_pattern(pattern, longest, str(place))

    def _matters(self, node: Any) -> bool:
        """Whether a node can be a reason to refuse: not a number, nor a text that leads nowhere."""
        if isinstance(node, str):
            return node in self.names.known or not node.isascii()
        return isinstance(node, dict | list)

    def _is_named(self, node: Any) -> bool:
        """Whether a node is an object of a class that the user named, whose arguments may be called anything."""
        if not isinstance(node, dict) or "class_name" not in node:
            return False
        registered = node.get("registered_name", node["class_name"])
        custom = self.names.find(registered) if isinstance(registered, str) and registered else None
        return custom is not None and self.names.is_named(custom)

    def _judge(self, node: Any, place: Place) -> Iterator[Finding]:
        if isinstance(node, str):
            yield from values.judge_text(node, place)
            yield from self._judge_text(node, place)
        elif isinstance(node, dict):
            yield from values.judge_values(node, place)
            for key in node:
                yield from values.judge_text(key, place)
            if "class_name" in node:
                yield from values.judge_nodes(node, place)
                yield from self._judge_object(node, place)

    def _judge_text(self, text: str, place: Place) -> Iterator[Finding]:
        """A bare text may name what is registered: `activation="relu"`, `function="package>name"`."""
        if text not in self.names.known or place.step.endswith((".class_name", ".registered_name")):
            return
        if place.is_reference():
            return
        custom, is_name = self.names.find(text), place.step.endswith(_NAMES)
        if custom is None or _from_keras(custom):
            return
        if text in allowed.ALL_FUNCTION_NAMES and not is_name:
            yield verdicts.overridden(text, custom, str(place))
        elif not (is_name and self.names.is_vouched_for(custom)):
            yield from self._judge_reached(text, custom, place, by_text=True)

    def _judge_reached(self, name: str, custom: Any, place: Place, by_text: bool = False) -> Iterator[Finding]:
        """What a name leads to beyond Keras: whether the user answers for it, and whether it belongs there.

        Args:
            name: the registered name.
            custom: the class or function.
            place: where it is named.
            by_text: whether Keras puts the thing itself there, as it does with functions, not an instance.
        """
        demand, named, is_class = place.demand, self.names.is_named(custom), isinstance(custom, type)
        if not named and ((by_text and is_class) or not self.names.is_vouched_for(custom)):
            yield verdicts.not_named(name, custom, str(place))
        elif demand is not None and demand.calls:
            if by_text and (is_class or not named):
                yield verdicts.called(name, custom, str(place))
        elif not kinds.fits(custom, demand):
            yield verdicts.misplaced(name, demand, str(place))

    def _judge_object(self, node: dict[str, Any], place: Place) -> Iterator[Finding]:
        name = node["class_name"]
        if not all(isinstance(node.get(key), str | None) for key in ("class_name", "module", "registered_name")):
            yield Finding("class_name, module and registered_name must be texts", str(place))
        elif name == "__lambda__":
            yield verdicts.bytecode("a function", str(place), self.legacy)
        elif name == "Lambda" and _holds_bytecode(node):
            yield verdicts.bytecode("a Lambda layer", str(place), self.legacy)
        elif name == "function":
            yield from self._judge_function(node, place)
        elif name in values.VALUE_FORMS or (self.legacy and name in values.LEGACY_VALUE_FORMS):
            yield from values.judge_form(node, str(place))
        else:
            yield from self._judge_class(node, str(name), place)

    def _judge_class(self, node: dict[str, Any], name: str, place: Place) -> Iterator[Finding]:
        """Mirrors how Keras looks a class up: custom names first, whatever the module says, then its own."""
        module, registered = node.get("module"), node.get("registered_name", name)
        known = allowed.ALL_CLASS_NAMES | self.also
        if self.own_module is not None and self.own_module(module):
            node, module = {}, None
            registered = registered or name
        custom = self.names.find(registered) if registered else None
        builtin = _is_keras(module) or (self.legacy and name in known)
        if custom is not None and builtin and not _from_keras(custom):
            yield verdicts.overridden(name, custom, str(place))
        elif module is not None and _is_keras(module):
            yield from self._judge_builtin(module, name, registered, custom, place)
        elif custom is not None:
            yield from self._judge_reached(registered, custom, place)
        elif name in allowed.DENIED:
            yield verdicts.denied(name, str(place))
        elif self.legacy and (_is_operation(name) or _is_wired_as_operation(node)):
            yield verdicts.operation_in_legacy(name, str(place))
        elif name not in self.also and ("module" in node or not (name == "Lambda" or allowed.knows_class(name))):
            yield verdicts.unknown("class", name, registered, module, str(place))

    def _judge_builtin(self, module: str, name: str, registered: str, custom: Any, place: Place) -> Iterator[Finding]:
        if registered not in (None, "", name):
            yield verdicts.renamed(f"{module}.{name}", registered, str(place))
        elif name in allowed.DENIED:
            yield verdicts.denied(name, str(place))
        elif custom is None and name != "Lambda" and not allowed.allows_class(module, name):
            yield verdicts.not_allowed("class", module, name, str(place))
        else:
            thing = custom or keras_names.find(module, name)
            if thing is not None and not kinds.fits(thing, place.demand):
                yield verdicts.misplaced(name, place.demand, str(place))

    def _judge_function(self, node: dict[str, Any], place: Place) -> Iterator[Finding]:
        module, name, registered = node.get("module"), node.get("config"), node.get("registered_name")
        where = str(place)
        if not isinstance(name, str):
            yield Finding("a function must be named by a text", where)
            return
        builtin = allowed.allows_function(module or "", name)
        if self.own_module is not None and self.own_module(module):
            builtin, module = name in allowed.ALL_FUNCTION_NAMES, None
        custom = self.names.find(name) if builtin else self.names.find_function(name)
        if custom is not None and builtin and not _from_keras(custom):
            yield verdicts.overridden(name, custom, where)
        elif custom is not None and not _from_keras(custom):
            yield from self._judge_reached(name, custom, place, by_text=True)
        elif custom is not None:
            return
        elif builtin and registered not in (None, "", "function", name):
            yield verdicts.renamed(name, registered, where)
        elif builtin and place.demand is not None and not place.demand.functions:
            yield verdicts.misplaced(name, place.demand, where)
        elif not builtin and module is not None and _is_keras(module):
            yield verdicts.not_allowed("function", module, name, where)
        elif not builtin:
            yield verdicts.unknown("function", name, registered, module, where)


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
