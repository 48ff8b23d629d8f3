"""Names of layers as scopes of a graph.

Keras opens a scope of each layer's name. TensorFlow allows few characters there and refuses the others while a graph is
traced: a model with a layer "größe" that JAX has trained has no `predict` in TensorFlow. The layer keeps its name; only the
scope is spelled in another way.
"""

from __future__ import annotations

import re
from typing import Any


def scope_of(name: str) -> str:
    """Return the scope that stands for a layer's name: the name itself where TensorFlow allows it."""
    spelled = re.sub(r"[^A-Za-z0-9_./>-]", "_", name)  # scopes may hold a backslash, and no op in them then runs
    return spelled if re.match(r"[A-Za-z0-9.]", spelled) else f".{spelled}"


def layer_of(scope: str, model: Any) -> str:
    """Return the name of the innermost Keras layer in the scoped name of an op ("functional_1/dense_1/MatMul").

    TensorFlow appends _1, _2, … to a scope that was entered before; the model itself is the answer of last resort.
    """
    names = {scope_of(layer.name): layer.name for layer in model._flatten_layers()}
    for part in reversed(scope.partition("@")[0].split("/")[:-1]):
        for candidate in (part, re.sub(r"_\d+$", "", part)):
            if candidate in names:
                return names[candidate]
    return model.name
