"""Structures of what a model takes and returns: tensors in lists, tuples and dicts, and the names that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.errors import UsageError
from exporter.spec import TensorInfo

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Named:
    """A spec that the user gave, under the name that Keras has for the input."""

    name: str
    spec: Any

    @property
    def shape(self) -> Any:
        """The spec's shape."""
        return self.spec.shape

    @property
    def dtype(self) -> Any:
        """The spec's dtype."""
        return self.spec.dtype


def flatten(arguments: Sequence[str], structures: Sequence[Any]) -> tuple[list[str], list[Any]]:
    """Return the names of the tensors of arguments, each a structure of specs, and the specs."""
    names, leaves = [], []
    for argument, structure in zip(arguments, structures, strict=True):
        for path, leaf in leaves_of(structure):
            has_key = any(isinstance(part, str) for part in path)
            own = tensor_name(leaf)
            joined = "_".join(str(part) for part in path)
            names.append(joined if has_key else own or "_".join(filter(None, (argument, joined))))
            leaves.append(leaf)
    return names, leaves


def leaves_of(structure: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Return (path, leaf) in the order of keras.tree, which sorts the keys of a dict."""
    if isinstance(structure, dict):
        return [pair for key in sorted(structure) for pair in leaves_of(structure[key], (*path, key))]
    if isinstance(structure, list | tuple):
        keys = getattr(structure, "_fields", range(len(structure)))  # a named tuple has names for its parts
        return [pair for key, item in zip(keys, structure, strict=True) for pair in leaves_of(item, (*path, key))]
    return [] if structure is None else [(path, structure)]


def rebuilt(structure: Any, tensors: Any) -> Any:
    """Return a structure with the next of `tensors` in place of each of its leaves."""
    if isinstance(structure, dict):
        items = {key: rebuilt(structure[key], tensors) for key in sorted(structure)}
        return {key: items[key] for key in structure}
    if isinstance(structure, list | tuple):
        listed = [rebuilt(item, tensors) for item in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*listed)
        return listed if isinstance(structure, list) else tuple(listed)
    return None if structure is None else next(tensors)


def tensor_name(leaf: Any) -> str:
    """Return the name of an input: that of its InputLayer, or of the spec that the user gave."""
    history = getattr(leaf, "_keras_history", None)
    return getattr(history.operation if history else leaf, "name", None) or ""


def tensor_info(name: str, leaf: Any) -> TensorInfo:
    """Return the name, shape and dtype of a spec.

    Raises:
        UsageError: if it has no shape or no dtype, or is of ragged or sparse tensors.
    """
    import keras

    spec = leaf.spec if isinstance(leaf, Named) else leaf
    shape, dtype = getattr(spec, "shape", None), getattr(spec, "dtype", None)
    special = type(spec).__name__ in ("RaggedTensorSpec", "SparseTensorSpec")
    if shape is None or dtype is None or isinstance(shape, Mapping) or special:
        raise UsageError(
            "input_signature holds something else than shapes and dtypes",
            where=f"{name}: {spec!r}",
            reason="each tensor needs a spec with both, and files take dense tensors only",
            remedy='write input_signature=[keras.InputSpec(shape=(None, 128), dtype="int32")], the batch first (--input '
            'NAME=int32[?,128]), or sizes by the names of inputs, {"image": (224, 224, 3)}, without it (--shape)',
        )
    sizes = tuple(None if d is None else int(d) for d in shape)
    known = dtype.name if hasattr(dtype, "as_datatype_enum") else keras.backend.standardize_dtype(dtype)
    return TensorInfo(name, sizes, known)
