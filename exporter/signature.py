"""The signature of a Keras model: the names of its inputs and outputs, and how flat tensors become what `call` takes.

Names are Keras's own: the key where the model takes or returns a dict, else the name of the layer: of the InputLayer, or of
the one that makes the output. Where Keras has no name (a subclassed model returns a bare tensor) it is `output_0`, as in
Keras's own exports.

An input without a name of its own has two in Keras: its layer's, `input_layer`, which `summary()` shows and the .keras file
holds, and its tensor's, `keras_tensor_7`, which counts all tensors of the process and is the layer's after a reload. The
layer's is the one that does not change.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exporter.errors import UsageError
from exporter.spec import TensorInfo

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class InputSignature:
    """Flat inputs, and the function that packs flat tensors into the arguments of the model.

    Args:
        inputs: one entry per tensor, in Keras's order.
        pack: takes a list of tensors, returns the positional arguments for the model.
        guessed: whether dtypes were assumed because Keras does not record them (subclassed models).
    """

    inputs: tuple[TensorInfo, ...]
    pack: Callable[[Sequence[Any]], list[Any]]
    guessed: bool = False


def input_signature(model: Any, given: Any = None) -> InputSignature:
    """Return the input signature of `model`.

    Args:
        model: a keras.Model.
        given: what `model.export(input_signature=...)` takes: one structure of specs per positional argument of `call`.
            Or sizes for dynamic dimensions, by the names of inputs: {"image": (224, 224, 3)}, without the batch.

    Raises:
        UsageError: if the model was never built and no signature is given, or the signature does not fit the model.
    """
    if given and isinstance(given, Mapping) and all(isinstance(shape, list | tuple) for shape in given.values()):
        own = input_signature(model)
        return replace(own, inputs=_sized(own.inputs, by_input(model, own.inputs, given)))
    arguments, structures = _given(model, given) if given is not None else _own(model)
    named, leaves = _flatten(arguments, structures)
    inputs = tuple(_tensor_info(name, leaf) for name, leaf in zip(unique(named), leaves, strict=True))

    def pack(tensors: Sequence[Any]) -> list[Any]:
        iterator = iter(tensors)
        return [_rebuild(structure, iterator) for structure in structures]

    return InputSignature(inputs, pack, guessed=given is None and _is_subclassed(model))


def _sized(inputs: tuple[TensorInfo, ...], shapes: Mapping[str, Sequence[int | None]]) -> tuple[TensorInfo, ...]:
    """Return the inputs with the given sizes in place of dynamic dimensions."""
    known = {info.name: info for info in inputs}
    for name, shape in shapes.items():
        own = known[name].shape[1:] if name in known else None
        fits = own is not None and len(own) == len(shape)
        if own is None or not fits or any(o not in (None, s) for o, s in zip(own, shape, strict=True)):
            raise UsageError(
                "a shape does not fit the model",
                where=f"{name}: {tuple(shape)}",
                reason=f"it takes {', '.join(map(str, inputs))}; the first dimension is the batch",
            )
    return tuple(replace(i, shape=(*i.shape[:1], *shapes.get(i.name, i.shape[1:]))) for i in inputs)


def by_input(model: Any, inputs: Sequence[TensorInfo], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given by name, under the names of `inputs`; those of Keras's tensors will do for these."""
    tensors = getattr(_graph(model), "inputs", ())
    names = {t.name: i.name for t, i in zip(tensors, inputs, strict=True)} if tensors else {}
    known = {i.name for i in inputs}
    return {name if name in known else names.get(name, name): value for name, value in given.items()}


def output_names(model: Any, structure: Any) -> list[str]:
    """Name the leaves of what the model returned, in Keras's flat order."""
    paths = [path for path, _ in _leaves(structure)]
    graph = _graph(model)
    layers = list(graph.output_names) if graph is not None else []
    names = []
    for position, path in enumerate(paths):
        keys = [str(part) for part in path if isinstance(part, str)]
        if keys:
            names.append("_".join(str(part) for part in path))
        elif len(layers) == len(paths):
            names.append(layers[position])
        else:
            names.append(f"output_{'_'.join(str(part) for part in path) or position}")
    return unique(names)


def apart(names: Sequence[str], outputs: Sequence[Any], inputs: Mapping[str, Any]) -> list[str]:
    """Number the names of outputs that an input has, too: ONNX has one name for one tensor.

    Args:
        names: of the outputs.
        outputs: their tensors; one that is the input of that name keeps it.
        inputs: the tensors of the inputs by name.
    """
    taken = [n for n in inputs if not any(n == o and t is inputs[n] for o, t in zip(names, outputs, strict=True))]
    return unique([*taken, *names])[len(taken) :]


def unique(names: Sequence[str]) -> list[str]:
    """Append _1, _2, … to the second and later uses of a name, skipping names that are taken."""
    taken, seen, result = set(names), Counter[str](), []
    for name in names:
        candidate = name
        while seen[name] and candidate in taken:
            candidate = f"{name}_{seen[name]}"
            seen[name] += candidate in taken
        seen[name] += 1
        taken.add(candidate)
        result.append(candidate)
    return result


def identifiers(names: Sequence[str]) -> list[str]:
    """Spell names so that TensorFlow takes them as arguments of a signature, each another."""
    return unique([_identifier(name) for name in names])


def _identifier(name: str) -> str:
    """Spell a name so that TensorFlow takes it as an argument of a signature."""
    spelled = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not spelled or spelled[0].isdigit() or keyword.iskeyword(spelled):
        spelled = f"arg_{spelled}"
    return spelled


def _graph(model: Any) -> Any:
    """Return the Functional model that computes `model`; None for subclassed models."""
    import keras

    if isinstance(model, keras.Sequential):
        return getattr(model, "_functional", None)
    return model if hasattr(model, "_inputs_struct") else None


def _is_subclassed(model: Any) -> bool:
    return _graph(model) is None


def _own(model: Any) -> tuple[list[str], list[Any]]:
    graph = _graph(model)
    if graph is not None:
        structure = graph._inputs_struct  # Keras has no public name for it
        return ["input"], [_without_accidental_batch(model, structure)]
    shapes = getattr(model, "_build_shapes_dict", None)
    if not model.built or not shapes:
        raise UsageError(
            "the model has no input shapes yet",
            where=model.name,
            reason="it was neither built nor called",
            remedy="call it once on a batch, or pass input_signature=[keras.InputSpec(shape=(None, ...), dtype=...)]",
        )
    arguments = [name.removesuffix("_shape") for name in shapes]
    if arguments == ["input"]:
        arguments = list(inspect.signature(model.call).parameters)[:1]
    return arguments, [_specs(shape, model.input_dtype) for shape in shapes.values()]


def _specs(shape: Any, dtype: str) -> Any:
    import keras

    if isinstance(shape, dict):
        return {key: _specs(value, dtype) for key, value in shape.items()}
    if all(isinstance(d, int | type(None)) for d in shape):
        return keras.InputSpec(shape=(None, *shape[1:]), dtype=dtype)
    return [_specs(value, dtype) for value in shape]


def _without_accidental_batch(model: Any, structure: Any) -> Any:
    """Free the batch of a Sequential that took it from the first batch it was called on; state needs it fixed."""
    import keras

    if not isinstance(model, keras.Sequential) or any(getattr(layer, "stateful", False) for layer in model.layers):
        return structure

    def free(tensor: Any) -> _Named:
        return _Named(_tensor_name(tensor), keras.InputSpec(shape=(None, *tensor.shape[1:]), dtype=tensor.dtype))

    return keras.tree.map_structure(free, structure)


def _given(model: Any, given: Any) -> tuple[list[str], list[Any]]:
    structures = list(given) if isinstance(given, list | tuple) else [given]
    graph = _graph(model)
    if graph is not None:
        if isinstance(graph._inputs_struct, list | tuple) and len(structures) == len(graph._inputs_struct) > 1:
            structures = [structures]
        names = [_tensor_name(t) for t in graph.inputs]
        leaves = [leaf for s in structures for _, leaf in _leaves(s)]
        if len(leaves) != len(names):
            raise UsageError(
                "input_signature does not fit the model",
                where=model.name,
                reason=f"it has {len(leaves)} tensors, the model takes {len(names)}: {', '.join(names)}",
            )
        named = iter([_Named(name, leaf) for name, leaf in zip(names, leaves, strict=True)])
        return ["input"], [_rebuild(graph._inputs_struct, named)]
    parameters = [name for name in inspect.signature(model.call).parameters if name not in ("training", "mask")]
    return parameters[: len(structures)], structures


@dataclass(frozen=True)
class _Named:
    """A spec that the user gave, under the name that Keras has for the input."""

    name: str
    spec: Any

    @property
    def shape(self) -> Any:
        return self.spec.shape

    @property
    def dtype(self) -> Any:
        return self.spec.dtype


def _flatten(arguments: Sequence[str], structures: Sequence[Any]) -> tuple[list[str], list[Any]]:
    names, leaves = [], []
    for argument, structure in zip(arguments, structures, strict=True):
        for path, leaf in _leaves(structure):
            has_key = any(isinstance(part, str) for part in path)
            own = _tensor_name(leaf)
            joined = "_".join(str(part) for part in path)
            names.append(joined if has_key else own or "_".join(filter(None, (argument, joined))))
            leaves.append(leaf)
    return names, leaves


def _leaves(structure: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Return (path, leaf) in the order of keras.tree, which sorts the keys of a dict."""
    if isinstance(structure, dict):
        return [pair for key in sorted(structure) for pair in _leaves(structure[key], (*path, key))]
    if isinstance(structure, list | tuple):
        return [pair for i, item in enumerate(structure) for pair in _leaves(item, (*path, i))]
    return [] if structure is None else [(path, structure)]


def _rebuild(structure: Any, tensors: Any) -> Any:
    if isinstance(structure, dict):
        rebuilt = {key: _rebuild(structure[key], tensors) for key in sorted(structure)}
        return {key: rebuilt[key] for key in structure}
    if isinstance(structure, list | tuple):
        items = [_rebuild(item, tensors) for item in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*items)
        return items if isinstance(structure, list) else tuple(items)
    return None if structure is None else next(tensors)


def _tensor_name(leaf: Any) -> str:
    """Return the name of an input: that of its InputLayer, or of the spec that the user gave."""
    history = getattr(leaf, "_keras_history", None)
    return getattr(history.operation if history else leaf, "name", None) or ""


def _tensor_info(name: str, leaf: Any) -> TensorInfo:
    import keras

    if leaf.shape is None or leaf.dtype is None:
        raise UsageError("an input of input_signature has no shape or no dtype", where=name)
    shape = tuple(None if d is None else int(d) for d in leaf.shape)
    dtype = leaf.dtype.name if hasattr(leaf.dtype, "as_datatype_enum") else keras.backend.standardize_dtype(leaf.dtype)
    return TensorInfo(name, shape, dtype)
