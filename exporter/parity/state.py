"""The variables of a model: kept as they are while it is run for comparison, and fingerprinted to prove it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any


def fingerprint(model: Any) -> str:
    """Return a SHA-256 over all variables of a Keras model: paths, dtypes, shapes and bytes."""
    import numpy as np

    digest = hashlib.sha256()
    for variable in model.variables:
        value = np.ascontiguousarray(variable.numpy())
        digest.update(f"{variable.path} {value.dtype} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def writes_state(concrete: Any) -> bool:
    """Whether a ConcreteFunction assigns variables, itself or in a function that it calls (stateful RNNs)."""
    graph = concrete.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return any(
        node.op.startswith("ResourceScatter") or (node.op.startswith("Assign") and node.op.endswith("VariableOp"))
        for node in nodes
    )


@contextlib.contextmanager
def state_restored(concrete: Any) -> Iterator[None]:
    """Put the variables that a ConcreteFunction may have assigned back to what they were."""
    variables = concrete.graph.variables if writes_state(concrete) else ()
    before = [(v, v.numpy()) for v in variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)
