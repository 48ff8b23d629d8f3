"""The arrays of a Keras 2 file, and the variables of the built model that they belong to.

`.h5`: for each layer of the model a list of names and arrays, trainable ones first, those of nested models in one row.
`.keras`: a tree of groups named after classes and attributes (`layers/bidirectional/forward_layer/cell/vars/0`).
Every array must find its variable and every variable its array: else the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from exporter.errors import LoadError
from exporter.loading.finding import printable
from exporter.loading.legacy.group_names import group_names
from exporter.loading.legacy.wiring import Part

# Variables of Keras 3 that Keras 2 did not store: seeds, states between batches, counters.
_OWN_STATE = re.compile(r"seed_generator_state|rnn_state|.*_seed")
_NAMELESS = re.compile(r"variable(_\d+)?")  # LayerScale gives its weight no name
# Names of variables that changed.
_RENAMED = {"depthwise_kernel": "kernel"}


def assign_from_h5(file: Any, parts: Sequence[Part], model: Any) -> None:
    """Set the weights from an `.h5` file.

    Args:
        file: the opened h5py file.
        parts: the layers of the model, as `wiring.Builder` built them.
        model: the model.

    Raises:
        LoadError: an array or a variable is left over, or a shape differs.
    """
    group = file.get("model_weights", file)
    by_name = {part.name: part for part in parts}
    filled: set[int] = set()
    for layer_name in texts(group, "layer_names"):
        if layer_name in group and (names := texts(group[layer_name], "weight_names")):
            arrays = [(name, np.asarray(group[layer_name][name])) for name in names]
            part = by_name.get(layer_name)
            if part is None or part.layer is None:
                raise _mismatch(layer_name, f"the file has {len(arrays)} weights for it, the model has no such layer")
            filled |= _assign(layer_name, part.layer.trainable_weights + part.layer.non_trainable_weights, arrays)
    _require_all(model, filled)


def assign_from_archive(file: Any, parts: Sequence[Part], model: Any) -> None:
    """Set the weights from `model.weights.h5` of a `.keras` archive of Keras 2.

    Args:
        file: the opened h5py file.
        parts: as for `assign_from_h5`.
        model: as for `assign_from_h5`.

    Raises:
        LoadError: as for `assign_from_h5`.
    """
    filled: set[int] = set()
    _assign_object(file, model, parts, "", filled)
    _require_all(model, filled)


def _assign_object(group: Any, thing: Any, parts: Sequence[Part], where: str, filled: set[int]) -> None:
    """Walk the groups of one object: its own variables, its layers, its attributes."""
    own = group.get("vars")
    if own is not None and len(own):
        arrays = [(str(number), np.asarray(own[str(number)])) for number in range(len(own))]
        filled |= _assign_in_order(where or "the model", _own_variables(thing), arrays)
    for name in group:
        here = f"{where}/{name}"
        if name in ("vars", "optimizer", "metrics", "_metrics", "compiled_loss", "compiled_metrics"):
            continue
        if name in ("layers", "_layer_checkpoint_dependencies", "_self_tracked_trackables") and parts:
            for child, part in _children(group[name], parts, here):
                _assign_object(group[name][child], part.layer, part.parts, f"{here}/{child}", filled)
        elif _holds_arrays(group[name]):
            _assign_attribute(group[name], thing, name, here, filled)


def _assign_attribute(group: Any, thing: Any, name: str, where: str, filled: set[int]) -> None:
    attribute = getattr(thing, name, None)
    if attribute is None:
        raise _mismatch(where, f"the file has weights for the attribute {name!r}, Keras 3's layer has none")
    if not isinstance(attribute, list | tuple):
        _assign_object(group, attribute, _parts_of(attribute), where, filled)
        return
    for child, part in _children(group, [Part(type(item).__name__, "", item) for item in attribute], where):
        _assign_object(group[child], part.layer, _parts_of(part.layer), f"{where}/{child}", filled)


def _parts_of(thing: Any) -> list[Part]:
    """The layers of a model that Keras built from its config: those inside of wrappers."""
    layers = getattr(thing, "layers", None)
    return [Part(type(layer).__name__, layer.name, layer, _parts_of(layer)) for layer in layers or ()]


def _children(group: Any, parts: Sequence[Part], where: str) -> Iterator[tuple[str, Part]]:
    """Groups and the layers they belong to: `dense`, `dense_1`, … in the order of the model."""
    names = group_names(parts)
    for child in group:
        if not _holds_arrays(group[child]):
            continue
        if child not in names or names[child].layer is None:
            raise _mismatch(f"{where}/{child}", "the file has weights for it, the model has no such layer")
        yield child, names[child]


def _holds_arrays(group: Any) -> bool:
    """Whether a dataset lies anywhere below."""
    return hasattr(group, "shape") or any(_holds_arrays(group[name]) for name in group)


def _own_variables(thing: Any) -> list[Any]:
    return [*getattr(thing, "_trainable_variables", ()), *getattr(thing, "_non_trainable_variables", ())]


def _assign_in_order(where: str, variables: Sequence[Any], arrays: Sequence[tuple[str, Any]]) -> set[int]:
    wanted = [variable for variable in variables if not _OWN_STATE.fullmatch(variable.name)]
    if len(wanted) != len(arrays):
        raise _mismatch(where, f"the file has {len(arrays)} weights, Keras 3's layer has {len(wanted)}")
    return {_set(where, variable, array) for variable, (_, array) in zip(wanted, arrays, strict=True)}


def _assign(where: str, variables: Sequence[Any], arrays: Sequence[tuple[str, Any]]) -> set[int]:
    """By the ends of the names where they tell apart, else in order."""
    wanted = [variable for variable in variables if not _OWN_STATE.fullmatch(variable.name)]
    if len(wanted) != len(arrays):
        raise _mismatch(where, f"the file has {len(arrays)} weights, Keras 3's layer has {len(wanted)}")
    for length in range(1, 8):
        ours = [_end(variable.path, length) for variable in wanted]
        theirs = [_end(name, length) for name, _ in arrays]
        if len(set(ours)) == len(ours) and sorted(ours) == sorted(theirs):
            by_end = dict(zip(theirs, (array for _, array in arrays), strict=True))
            return {_set(where, variable, by_end[end]) for variable, end in zip(wanted, ours, strict=True)}
    for variable, (name, _) in zip(wanted, arrays, strict=True):
        if _end(name, 1) != _end(variable.path, 1) and not _NAMELESS.fullmatch(variable.name):
            raise _mismatch(where, f"the weight {name} stands where Keras 3's layer has {variable.path}")
    return _assign_in_order(where, wanted, arrays)


def _end(path: str, length: int) -> tuple[str, ...]:
    steps = path.partition(":")[0].split("/")[-length:]
    return (*steps[:-1], _RENAMED.get(steps[-1], steps[-1]))


def _set(where: str, variable: Any, array: Any) -> int:
    if tuple(variable.shape) != array.shape:
        raise _mismatch(where, f"{variable.path} has shape {tuple(variable.shape)}, in the file {array.shape}")
    variable.assign(array)
    return id(variable)


def _require_all(model: Any, filled: set[int]) -> None:
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with what it derives from its weights
    missing = [v.path for v in model.weights if id(v) not in filled and not _OWN_STATE.fullmatch(v.name)]
    if missing:
        raise _mismatch(missing[0], f"the file has no array for this weight, nor for {len(missing) - 1} others")


def texts(group: Any, name: str) -> list[str]:
    """A list of texts in attributes; long ones are spread over `name0`, `name1` and so on."""
    keys = [name] if name in group.attrs else []
    if not keys:
        number = 0
        while f"{name}{number}" in group.attrs:
            keys.append(f"{name}{number}")
            number += 1
    values = [value for key in keys for value in np.asarray(group.attrs[key]).ravel().tolist()]
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _mismatch(where: str, reason: str) -> LoadError:
    return LoadError(
        "the weights in the file do not fit the model", where=printable(where), reason=printable(reason, 400)
    )
