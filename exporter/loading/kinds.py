"""Which kind of thing belongs where in a config: a layer where a layer stands, an initializer where Keras initializes.

A config may name a class or a function anywhere, and Keras builds or calls what it finds. A place whose kind is known takes
that kind only. Elsewhere, as in the arguments of the user's own classes, any kind may stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Demand:
    """What a place takes.

    Args:
        what: how messages call it.
        bases: names of Keras's base classes, of which one must be a base of the class.
        functions: whether a function may stand there.
        calls: whether what stands there is called with arguments that the file chooses, so that only what the user
            named may stand there.
    """

    what: str
    bases: tuple[str, ...] = ()
    functions: bool = False
    calls: bool = False


MODEL = Demand("model", ("Model",))
CALLED = Demand("function called with arguments of the file", (), functions=True, calls=True)
_LAYER = Demand("layer", ("Operation",))
_OPTIMIZER = Demand("optimizer", ("Optimizer",))
_LOSS = Demand("loss", ("Loss",), functions=True)
_METRIC = Demand("metric", ("Metric", "Loss"), functions=True)

# By the name of the argument.
_DEMANDS: Mapping[str, Demand] = MappingProxyType(
    {
        **dict.fromkeys(("layer", "layers", "forward_layer", "backward_layer", "cell", "cells"), _LAYER),
        **dict.fromkeys(("optimizer", "optimizers", "inner_optimizer", "default_optimizer"), _OPTIMIZER),
        **dict.fromkeys(("loss", "losses"), _LOSS),
        **dict.fromkeys(("metrics", "weighted_metrics"), _METRIC),
        "learning_rate": Demand("learning rate", ("optimizers.schedules.LearningRateSchedule",)),
        "dtype": Demand("dtype policy", ("DTypePolicy", "dtype_policies.DTypePolicyMap")),
        "quantization_config": Demand("quantization config", ("quantizers.QuantizationConfig",)),
        "fn": CALLED,
    }
)
# By the end of its name.
_ENDINGS: Mapping[str, Demand] = MappingProxyType(
    {
        "activation": Demand("activation", ("Operation",), functions=True),
        "initializer": Demand("initializer", ("Initializer",), functions=True),
        "regularizer": Demand("regularizer", ("Regularizer",), functions=True),
        "constraint": Demand("constraint", ("constraints.Constraint",), functions=True),
        "quantizer": Demand("quantizer", ("Quantizer",)),
    }
)
# Every base by which a class shows its kind.
_BASES = frozenset(base for demand in (*_DEMANDS.values(), *_ENDINGS.values(), MODEL) for base in demand.bases)


def demand_of(key: str) -> Demand | None:
    """What stands under an argument of a class of Keras; None where anything may."""
    return _DEMANDS.get(key) or next((demand for end, demand in _ENDINGS.items() if key.endswith(end)), None)


def fits(thing: Any, demand: Demand | None) -> bool:
    """Whether a class or function is of the kind that a place demands.

    A class without any of Keras's bases may stand where a function may: Keras calls its instances.
    """
    if demand is None or (demand.calls and isinstance(thing, type)):  # the instance of a class that is allowed
        return True
    if not isinstance(thing, type):
        return demand.functions
    if any(issubclass(thing, _base(base)) for base in demand.bases):
        return True
    return demand.functions and not any(issubclass(thing, _base(base)) for base in _BASES)


def _base(name: str) -> type:
    import keras

    found: Any = keras
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else _Nothing


class _Nothing:
    """The base of nothing: stands for a class that the installed Keras does not have yet."""
