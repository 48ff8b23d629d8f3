"""The state of the optimizer: iterations, and the slots of every trainable weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from exporter.loading.legacy.wiring import Part

# Where Keras 3's optimizers keep a slot, and what Keras 2's optimizers (also those before 2.11) called it.
_SLOTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "momentums": ("m", "momentum"),
        "_momentums": ("m", "momentum"),
        "_velocities": ("v", "velocity", "rms"),
        "_velocity_hats": ("vhat",),
        "_accumulators": ("accumulator",),
        "_accumulated_grads": ("accumulated_grad", "accum_grad"),
        "_accumulated_delta_vars": ("accumulated_delta_var", "accum_var"),
        "_m": ("m",),
        "_u": ("u", "v"),
        "_linears": ("linear",),
        "_average_gradients": ("average_gradient", "mg"),
    }
)
# The order in which optimizers of Keras 2.11 and later made their slots: one loop over the weights for each entry.
_LOOPS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "Adadelta": (("_accumulated_grads", "_accumulated_delta_vars"),),
        "Adagrad": (("_accumulators",),),
        "Adam": (("_momentums", "_velocities"), ("_velocity_hats",)),
        "AdamW": (("_momentums", "_velocities"), ("_velocity_hats",)),
        "Adamax": (("_m", "_u"),),
        "Ftrl": (("_accumulators", "_linears"),),
        "Lion": (("_momentums",),),
        "Nadam": (("_momentums", "_velocities"),),
        "RMSprop": (("_velocities",), ("_momentums",), ("_average_gradients",)),
        "SGD": (("momentums",),),
    }
)


def restore_optimizer(model: Any, parts: Sequence[Part], file: Any) -> str | None:
    """Set the state of the optimizer; return why not, if so.

    Args:
        model: compiled and built.
        parts: its layers, in the order of the file.
        file: the opened h5py file.
    """
    stored = dict(_by_name(file) if "optimizer_weights" in file else _by_number(file))
    if not stored:
        return "the file has none"
    optimizer = model.optimizer
    loops = _LOOPS.get(type(optimizer).__name__)
    if loops is None or optimizer.use_ema:
        return f"{type(optimizer).__name__} keeps it in another form"
    weights = [weight for part in parts if part.layer is not None for weight in part.layer.trainable_weights]
    weights = list({id(weight): weight for weight in weights}.values())
    wanted = [
        (attribute, weight, getattr(optimizer, attribute)[optimizer._get_variable_index(weight)])
        for loop in loops
        for weight in weights
        for attribute in loop
        if getattr(optimizer, attribute, None)
    ]
    if not wanted:
        return _set_iterations(optimizer, stored)
    values = _named(wanted, stored) if "optimizer_weights" in file else _ordered(wanted, stored)
    if values is None:
        return "its arrays are not those of the weights"
    for (_, _, slot), value in zip(wanted, values, strict=True):
        slot.assign(value)
    return _set_iterations(optimizer, stored)


def _set_iterations(optimizer: Any, stored: Mapping[str, Any]) -> str | None:
    for name, value in stored.items():
        if name.rpartition("/")[2] in ("iter", "iteration", "iterations", "0") and value.shape == ():
            optimizer.iterations.assign(value)
            return None
    return "the number of iterations is missing"


def _by_name(file: Any) -> Iterator[tuple[str, Any]]:
    from exporter.loading.legacy.weights import texts

    group = file["optimizer_weights"]
    for name in texts(group, "weight_names"):
        yield name.partition(":")[0], np.asarray(group[name])


def _by_number(file: Any) -> Iterator[tuple[str, Any]]:
    group = file.get("optimizer/vars")
    for number in range(len(group) if group is not None else 0):
        yield str(number), np.asarray(group[str(number)])


def _ordered(wanted: Sequence[tuple[str, Any, Any]], stored: Mapping[str, Any]) -> list[Any] | None:
    """Behind the scalars (iterations, in some versions the learning rate) the slots lie in the order of the loops."""
    values = [value for value in stored.values() if value.shape != () or len(stored) == len(wanted)]
    values = values if len(values) == len(wanted) else list(stored.values())[-len(wanted) :]
    fits = len(values) == len(wanted) and all(
        tuple(slot.shape) == value.shape for (_, _, slot), value in zip(wanted, values, strict=True)
    )
    return values if fits else None


def _named(wanted: Sequence[tuple[str, Any, Any]], stored: Mapping[str, Any]) -> list[Any] | None:
    """`Adam/m/dense/kernel` since Keras 2.11, `Adam/dense/kernel/m` before."""
    values = []
    for attribute, weight, slot in wanted:
        ends = [f"/{name}/{weight.path}" for name in _SLOTS[attribute]]
        ends += [f"/{weight.path}/{name}" for name in _SLOTS[attribute]]
        found = [value for name, value in stored.items() if any(name.endswith(end) for end in ends)]
        if len(found) != 1 or found[0].shape != tuple(slot.shape):
            return None
        values.append(found[0])
    return values
