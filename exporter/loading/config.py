"""Audit of a serialized model (`config.json`, or `model_config` of an `.h5` file) as plain data.

Every dictionary with a `class_name` makes Keras look something up and build it, wherever it stands. So the walk
goes through the whole document and asks of each: is it on the allow-list (`allowed.py`), or a class that the user
registered or passed? Nothing is imported and nothing is built here; the file's module names are only compared.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.loading import allowed, limits
from exporter.loading.archive import is_traversal
from exporter.loading.finding import Finding

# What Keras itself turns into plain values, without looking up a class.
_VALUE_FORMS = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"})
_LEGACY_VALUE_FORMS = frozenset({"__tuple__", "TensorShape", "__ellipsis__", "__bytes__"})
# Arguments of vocabulary and tokenizer layers that may be the values themselves, or a path from which to read them.
_PATH_ARGUMENTS = frozenset({"vocabulary", "idf_weights", "merges", "proto", "special_tokens", "language_tokens"})
# Element types of constants written out in a config; NumPy would take "S2000000000" as well, two gigabytes each.
_DTYPE = re.compile(r"(u?int|float|bfloat|complex)\d{1,3}|float8_\w{1,12}|bool|string")
# Packages that models name only in attacks: their callables do anything.
_FOREIGN = frozenset(sys.stdlib_module_names) | {"numpy", "tensorflow", "torch", "jax", "pip", "setuptools", "h5py"}

_TRUST = "if you know who made the file and what is in it, load it with trust=True (--trust)"
_CODE = "CVE-2025-1550"
_LAMBDA = "CVE-2024-3660"


@dataclass(frozen=True)
class ConfigAudit:
    """The walk over one document.

    Args:
        custom: what Keras will find under custom names: registered names and names passed by the user.
        legacy: True for the layout of `.h5` files, where objects carry no module.
        origin: how messages call the document.
    """

    custom: Mapping[str, Any]
    legacy: bool = False
    origin: str = "config.json"

    def model_findings(self, document: Any) -> list[Finding]:
        """Every reason to refuse a document that must be a serialized model."""
        if not isinstance(document, dict) or not document.keys() >= {"class_name", "config"}:
            return [Finding("no serialized model", self.origin, "the file holds something else", unsafe=False)]
        return list(self.findings(document))

    def findings(self, document: Any) -> Iterator[Finding]:
        """Every reason to refuse a document."""
        pending: list[tuple[Any, str, int]] = [(document, self.origin, 0)]
        values = objects = 0
        while pending:
            node, where, depth = pending.pop()
            if depth > limits.CONFIG_DEPTH:
                yield Finding(f"nested deeper than {limits.CONFIG_DEPTH} levels", where)
                return
            if isinstance(node, dict):
                objects += "class_name" in node
                yield from self._judge(node, where)
                label = _label(node, where)
                pending.extend((node[key], f"{label}.{key}", depth + 1) for key in reversed(node))
            elif isinstance(node, list):
                pending.extend((item, f"{where}[{i}]", depth + 1) for i, item in reversed(list(enumerate(node))))
            else:
                values += 1
                yield from self._judge_text(node, where)
            if values > limits.INLINE_VALUES or objects > limits.CONFIG_OBJECTS:
                yield Finding(
                    f"more than {limits.CONFIG_OBJECTS} objects or {limits.INLINE_VALUES} values", self.origin
                )
                return

    def _judge_text(self, node: Any, where: str) -> Iterator[Finding]:
        """A bare string may name a function: `activation="relu"`."""
        if not isinstance(node, str) or where.endswith(".name") or node not in allowed.ALL_FUNCTION_NAMES:
            return
        if node in self.custom and not _from_keras(self.custom[node]):
            yield _overridden(node, self.custom[node], where)

    def _judge(self, node: dict[str, Any], where: str) -> Iterator[Finding]:
        yield from _judge_name(node, where)
        yield from _judge_paths(node, where)
        if "class_name" not in node:
            return
        name = node["class_name"]
        if not isinstance(name, str):
            yield Finding(f"class_name is a {type(name).__name__}, not a string", where)
        elif name == "__lambda__":
            yield Finding("a Python lambda, stored as bytecode", where, _LAMBDA_REMEDY, _lambda_cve(self.legacy))
        elif name == "function":
            yield from self._judge_function(node, where)
        elif name in _VALUE_FORMS or (self.legacy and name in _LEGACY_VALUE_FORMS):
            yield from _judge_value(node, where)
        else:
            yield from self._judge_class(node, name, where)

    def _judge_class(self, node: dict[str, Any], name: str, where: str) -> Iterator[Finding]:
        module, registered = node.get("module"), node.get("registered_name", name)
        if not isinstance(module, str | None) or not isinstance(registered, str | None):
            yield Finding("module and registered_name must be strings", where)
            return
        if name == "Lambda" and _holds_bytecode(node):
            yield Finding("a Lambda layer with Python bytecode", where, _LAMBDA_REMEDY, _lambda_cve(self.legacy))
            return
        custom = self.custom.get(registered) if registered else None
        if _is_keras(module):
            yield from _judge_builtin(module or "", name, registered, custom, where)
        elif custom is not None:
            yield from self._judge_shadow(name, custom, where)
        elif name in allowed.DENIED:
            yield _denied(name, where)
        elif self.legacy and _is_operation(name):
            yield Finding(
                f"the keras.ops call {name!r} cannot be read back from an .h5 file", where, _KERAS, unsafe=False
            )
        elif "module" in node or name not in allowed.ALL_CLASS_NAMES | {"Lambda"}:
            yield _unknown("class", name, registered, module, where)

    def _judge_shadow(self, name: str, custom: Any, where: str) -> Iterator[Finding]:
        """In a legacy file the bare name `Dense` may mean Keras's class or the user's: refuse to guess."""
        if self.legacy and name in allowed.ALL_CLASS_NAMES and not _from_keras(custom):
            yield _overridden(name, custom, where)

    def _judge_function(self, node: dict[str, Any], where: str) -> Iterator[Finding]:
        module, name, registered = node.get("module"), node.get("config"), node.get("registered_name")
        if not isinstance(name, str) or not isinstance(module, str | None) or not isinstance(registered, str | None):
            yield Finding("a function must be named by strings", where)
            return
        custom = self.custom.get(name)
        builtin = allowed.allows_function(module or "", name)
        if custom is not None:
            if builtin and not _from_keras(custom):
                yield _overridden(name, custom, where)
        elif builtin:
            if registered not in (None, "", "function", name):
                yield Finding(f"the built-in function {name!r} is given the name {registered!r}", where)
        elif _is_keras(module):
            yield Finding(
                f"the function {module}.{name} is not one that a model is made of", where, cve="CVE-2025-8747"
            )
        else:
            yield _unknown("function", name, registered, module, where)


_LAMBDA_REMEDY = "replace the Lambda by keras.ops calls or by a layer of your own and save again; " + _TRUST


_KERAS = "save the model as .keras: .h5 files hold layers only"


def _lambda_cve(legacy: bool) -> str:
    return "CVE-2025-9905" if legacy else _LAMBDA


def _is_keras(module: str | None) -> bool:
    return module is not None and module.split(".")[0] == "keras"


def _is_operation(name: str) -> bool:
    return name not in allowed.ALL_CLASS_NAMES and any(
        hasattr(sys.modules.get(module), name) for module in allowed.OP_MODULES
    )


def _from_keras(custom: Any) -> bool:
    return _is_keras(getattr(custom, "__module__", None))


def _judge_builtin(module: str, name: str, registered: str | None, custom: Any, where: str) -> Iterator[Finding]:
    if custom is not None and not _from_keras(custom):
        yield _overridden(f"{module}.{name}", custom, where)
    elif registered not in (None, "", name):
        yield Finding(f"the built-in {module}.{name} is given the registered name {registered!r}", where)
    elif name in allowed.DENIED:
        yield _denied(name, where)
    elif custom is None and name != "Lambda" and not allowed.allows_class(module, name):
        yield Finding(
            f"{module}.{name} is not on the list of classes that a model may be made of",
            where,
            f"if it is a class new in Keras, name it: custom_objects={{{name!r}: {module}.{name}}}",
            _cve_of(module) if module.startswith(("keras.utils", "keras.config", "keras.saving")) else "",
        )


def _cve_of(module: str | None) -> str:
    """Turning safe mode off by a config has a number of its own."""
    return "CVE-2025-9906" if (module or "").startswith("keras.config") else "CVE-2025-8747"


def _denied(name: str, where: str) -> Finding:
    reason, cve = allowed.DENIED[name]
    return Finding(f"{name} {reason}", where, _TRUST, cve)


def _overridden(name: str, custom: Any, where: str) -> Finding:
    return Finding(
        f"{name!r} names a built-in of Keras, but {custom!r} would be used instead",
        where,
        "register your object under a name of its own: @keras.saving.register_keras_serializable(package=...)",
    )


def _unknown(kind: str, name: str, registered: str | None, module: str | None, where: str) -> Finding:
    """A class or function that neither Keras nor the user's modules know."""
    root = (module or "").split(".")[0]
    if root in _FOREIGN and not (root == "builtins" and not hasattr(builtins, name)):
        return Finding(f"the {kind} {module}.{name} lies outside Keras and of your modules", where, _TRUST, _CODE)
    called = f"{kind} {name!r}" + (f" (registered as {registered!r})" if registered not in (None, name, kind) else "")
    if root in ("keras_hub", "keras_nlp", "keras_cv"):
        return Finding(f"unknown {called}", where, "pip install keras-hub", unsafe=False)
    package = module or "PKG.MODULE"
    return Finding(
        f"unknown {called}" + (f" from the module {module}" if module else ""),
        where,
        f"name the module that defines it: --custom {package}, "
        f"or pass it in Python: custom_objects={{{registered or name!r}: {name}}}",
        unsafe=False,
    )


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


def _judge_name(node: dict[str, Any], where: str) -> Iterator[Finding]:
    """Names of layers become parts of paths: of weights, and of asset files."""
    name = node.get("name")
    if isinstance(name, str) and is_traversal(name):
        yield Finding(f"the name {name!r} leads out of the folder", where, "rename the layer", "CVE-2026-12479")


def _judge_paths(node: dict[str, Any], where: str) -> Iterator[Finding]:
    for key in _PATH_ARGUMENTS & node.keys():
        if isinstance(node[key], str):
            yield Finding(
                f"{key} is the path {node[key]!r}: building the layer would read that file",
                where,
                f"give the layer its {key} as a list before saving; " + _TRUST,
                "CVE-2025-12058",
            )


def _label(node: dict[str, Any], where: str) -> str:
    """The place of a node, by layer name where it has one: `config.json.config.layers[3]<'dense'>`."""
    config = node.get("config")
    name = node.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return f"{where}<{name}>" if isinstance(name, str) and "class_name" in node else where
