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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exporter.capture.naming import unique
from exporter.capture.structures import Named, flatten, leaves_of, rebuilt, tensor_info, tensor_name
from exporter.errors import UsageError
from exporter.spec import TensorInfo


@dataclass(frozen=True)
class InputSignature:
    """Flat inputs, and the function that packs flat tensors into the arguments of the model.

    Args:
        inputs: one entry per tensor, in Keras's order.
        pack: takes a list of tensors, returns the positional arguments for the model.
        guessed: whether dtypes were assumed because Keras does not record them (subclassed models).
        arguments: names of the arguments that are packed.
    """

    inputs: tuple[TensorInfo, ...]
    pack: Callable[[Sequence[Any]], list[Any]]
    guessed: bool = False
    arguments: tuple[str, ...] = ()


def input_signature(model: Any, given: Any = None) -> InputSignature:
    """Return the input signature of `model`.

    Args:
        model: a keras.Model.
        given: what `model.export(input_signature=...)` takes: one structure of specs per positional argument of `call`.
            Or by the names of inputs, sizes for dynamic dimensions, {"image": (224, 224, 3)}, without the batch, and shapes
            with dtypes, {"ids": TensorInfo("ids", (None, 128), "int32")}, with it.

    Raises:
        UsageError: if the model was never built and no signature is given, or the signature does not fit the model.
    """
    if given and isinstance(given, Mapping) and all(_is_by_name(value) for value in given.values()):
        specs = {name: value for name, value in given.items() if isinstance(value, TensorInfo)}
        sizes = {name: value for name, value in given.items() if name not in specs}
        own = _packed(model, *_specified(model, specs)) if specs else input_signature(model)
        return replace(own, inputs=_sized(own.inputs, by_input(model, own.inputs, sizes))) if sizes else own
    signature = _packed(model, *(_given(model, given) if given is not None else _own(model)))
    return replace(signature, guessed=given is None and _is_subclassed(model))


def _is_by_name(value: Any) -> bool:
    if isinstance(value, TensorInfo):
        return True
    return isinstance(value, list | tuple) and all(isinstance(d, int | None) for d in value)


def _packed(model: Any, arguments: Sequence[str], structures: Sequence[Any]) -> InputSignature:
    """Return the signature for arguments of `call`, each a structure of specs."""
    named, leaves = flatten(arguments, structures)
    inputs = tuple(tensor_info(name, leaf) for name, leaf in zip(unique(named), leaves, strict=True))
    parameters = [] if not _is_subclassed(model) else list(inspect.signature(model.call).parameters)
    gaps = [_gap(parameters, before, after) for before, after in zip([None, *arguments], arguments, strict=False)]

    def pack(tensors: Sequence[Any]) -> list[Any]:
        iterator = iter(tensors)
        packed: list[Any] = []
        for gap, structure in zip(gaps, structures, strict=True):
            packed += [*[None] * gap, rebuilt(structure, iterator)]
        return packed

    return InputSignature(inputs, pack, arguments=tuple(arguments))


def _gap(parameters: Sequence[str], before: str | None, after: str) -> int:
    """Return how many optional tensors of `call` lie between two arguments that are given."""
    if before not in parameters or after not in parameters:
        return 0
    return parameters.index(after) - parameters.index(before) - 1


def _specified(model: Any, specs: Mapping[str, TensorInfo]) -> tuple[list[str], list[Any]]:
    """Return the model's own arguments with some inputs specified anew, and the optional ones of `call` that are named."""
    parameters = list(inspect.signature(model.call).parameters) if _is_subclassed(model) else []
    try:
        arguments, structures = _own(model)
    except UsageError:
        if not specs.keys() <= set(parameters):
            raise
        arguments, structures = [], []
    names, leaves = flatten(arguments, structures)
    names = unique(names)
    added = [p for p in parameters if p in specs and p not in names and p not in arguments]
    if unknown := sorted(specs.keys() - {*names, *added}):
        raise UsageError(
            "the model has no such input",
            where=", ".join(unknown),
            reason=f"it takes {', '.join([*names, *(p for p in parameters if p not in arguments)])}",
        )
    told = iter([Named(n, specs.get(n, leaf)) for n, leaf in zip(names, leaves, strict=True)])
    anew = [rebuilt(structure, told) for structure in structures]
    pairs = [*zip(arguments, anew, strict=True), *((p, specs[p]) for p in added)]
    if parameters:
        pairs.sort(key=lambda pair: parameters.index(pair[0]) if pair[0] in parameters else 0)
    return [argument for argument, _ in pairs], [structure for _, structure in pairs]


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
    paths = [path for path, _ in leaves_of(structure)]
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
            remedy="call it once on a batch, or pass input_signature=[keras.InputSpec(shape=(None, ...), dtype=...)] "
            "(--input NAME=float32[?,128])",
        )
    arguments = [name.removesuffix("_shape") for name in shapes]
    parameters = list(inspect.signature(model.call).parameters)
    if not set(arguments) <= set(parameters):  # build() has other names for them
        arguments = parameters[: len(arguments)]
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

    def free(tensor: Any) -> Named:
        return Named(tensor_name(tensor), keras.InputSpec(shape=(None, *tensor.shape[1:]), dtype=tensor.dtype))

    return keras.tree.map_structure(free, structure)


def _given(model: Any, given: Any) -> tuple[list[str], list[Any]]:
    structures = list(given) if isinstance(given, list | tuple) else [given]
    graph = _graph(model)
    if graph is not None:
        if isinstance(graph._inputs_struct, list | tuple) and len(structures) == len(graph._inputs_struct) > 1:
            structures = [structures]
        names = [tensor_name(t) for t in graph.inputs]
        leaves = [leaf for s in structures for _, leaf in leaves_of(s)]
        if len(leaves) != len(names):
            raise UsageError(
                "input_signature does not fit the model",
                where=model.name,
                reason=f"it has {len(leaves)} tensors, the model takes {len(names)}: {', '.join(names)}",
            )
        named = iter([Named(name, leaf) for name, leaf in zip(names, leaves, strict=True)])
        return ["input"], [rebuilt(graph._inputs_struct, named)]
    parameters = [name for name in inspect.signature(model.call).parameters if name not in ("training", "mask")]
    return parameters[: len(structures)], structures
