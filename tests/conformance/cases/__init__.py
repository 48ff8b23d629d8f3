"""Small models over the whole public API of Keras, shared by the conformance tests of every format.

A module below this package holds a list `CASES`. `all_cases()` gathers them; names are unique.
`EXCLUDED` names what has no inference function of its own, each with the reason.
"""

from __future__ import annotations

import importlib.util
import pkgutil

from tests.conformance.cases.case import Case

EXCLUDED = {
    "keras.layers.FlaxLayer": "needs JAX",
    "keras.layers.JaxLayer": "needs JAX",
    "keras.layers.TorchModuleWrapper": "needs PyTorch",
    "keras.layers.TFSMLayer": "runs a SavedModel, not Keras code",
    "keras.layers.InputSpec": "a description, not a layer",
    "keras.layers.Layer": "the base class",
    "keras.layers.Wrapper": "a base class",
    "keras.layers.deserialize": "configuration",
    "keras.layers.serialize": "configuration",
    "keras.activations.deserialize": "configuration",
    "keras.activations.serialize": "configuration",
    "keras.activations.get": "configuration",
    "keras.ops.vectorize": "Keras does not support it under TensorFlow",
    "keras.ops.corrcoef": "Keras 3.15 cannot trace it under TensorFlow",
    "keras.ops.isin": "Keras 3.15 cannot trace it under TensorFlow",
    "keras.ops.kron": "Keras 3.15 cannot trace it under TensorFlow",
    "keras.ops.nanmedian": "Keras 3.15 cannot trace it under TensorFlow",
    "keras.ops.nanpercentile": "Keras 3.15 cannot trace it under TensorFlow",
    "keras.ops.nanquantile": "Keras 3.15 cannot trace it under TensorFlow",
    "keras.ops.view_as_complex": "Keras 3.15 raises a TypeError under TensorFlow",
    "keras.ops.convert_to_numpy": "leaves the graph",
    "keras.ops.custom_gradient": "training only",
    "keras.ops.jvp": "training only",
}


def all_cases() -> list[Case]:
    """Return every case.

    Raises:
        ValueError: if two have the same name.
    """
    cases: dict[str, Case] = {}
    modules = sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "case")
    if importlib.util.find_spec("keras_hub") is None:
        modules = [name for name in modules if not name.startswith("hub_")]
    for module in modules:
        for case in importlib.import_module(f"{__name__}.{module}").CASES:
            if case.name in cases:
                raise ValueError(f"two cases are called {case.name!r}")
            cases[case.name] = case
    return list(cases.values())
