"""The variables of a model: kept as they are while it is run for comparison, and fingerprinted to prove it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np


def fingerprint(model: Any) -> str:
    """Return a SHA-256 over all variables of a Keras model: paths, dtypes, shapes and bytes."""
    digest = hashlib.sha256()
    for variable in model.variables:
        value = np.ascontiguousarray(variable.numpy())
        digest.update(f"{variable.path} {value.dtype} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


class ModelState:
    """The state that a traced function reads and assigns, kept apart from the model that it belongs to.

    Args:
        concrete: TensorFlow's ConcreteFunction; the state begins with the values that its variables have now.

    Attributes:
        changes: whether the function, or one that it calls, assigns variables (stateful RNNs, random seeds).
    """

    def __init__(self, concrete: Any) -> None:
        self.changes = _assigns(concrete)
        self._variables = list(concrete.graph.variables) if self.changes else []
        self._values = self._read()

    @contextlib.contextmanager
    def used(self, *, advance: bool = False) -> Iterator[None]:
        """Give the variables this state inside the context, and what they had before after it.

        Args:
            advance: whether what the function leaves behind becomes the state.
        """
        before = self._read()
        self._write(self._values)
        try:
            yield
            if advance:
                self._values = self._read()
        finally:
            self._write(before)

    def _read(self) -> list[np.ndarray]:
        return [v.numpy() for v in self._variables]

    def _write(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)


def _assigns(concrete: Any) -> bool:
    graph = concrete.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return any(
        node.op.startswith("ResourceScatter") or (node.op.startswith("Assign") and node.op.endswith("VariableOp"))
        for node in nodes
    )
