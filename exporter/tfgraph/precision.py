"""Rewrite the graph of a traced function in another precision: same ops, same variables, wider floats.

Every tensor whose dtype is a key of the mapping gets the mapped dtype, in the graph and in the functions that it calls
(loops, branches). Weights stay where they are, in the variables of the model, and are cast where they are read.
What still runs in its own precision is named in `Widened.narrow`.

Nothing is rebuilt from a Keras config, so it works on subclassed models, and on layers that fix their dtype or cast by
hand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from exporter.tfgraph.rewriter import Replay

DOUBLE: Mapping[str, str] = {
    "float16": "float64",
    "bfloat16": "float64",
    "float32": "float64",
    "complex64": "complex128",
}
SINGLE: Mapping[str, str] = {"float16": "float32", "bfloat16": "float32"}
TO_SINGLE: Mapping[str, str] = {**SINGLE, "float64": "float32", "complex128": "complex64"}


class Widened:
    """A traced function with its floats replaced, as a function of flat tensors: call it while tracing, or `compile`.

    Inputs may come in the original or in the mapped dtype; outputs have the mapped dtype.

    Args:
        concrete: TensorFlow's ConcreteFunction; its variables are shared, not copied.
        mapping: dtype names to dtype names: `DOUBLE`, `SINGLE` or another.
        replay: what emits the ops.
    """

    def __init__(
        self, concrete: Any, mapping: Mapping[str, str], replay: Callable[[Mapping[str, str]], Replay] = Replay
    ) -> None:
        self._concrete = concrete
        self._replay = replay(mapping)

    @property
    def narrow(self) -> tuple[str, ...]:
        """Types of the ops that had to run in their own precision, sorted; known once the graph was emitted."""
        return tuple(sorted(self._replay.narrow))

    def __call__(self, *tensors: Any) -> list[Any]:
        """Emit the rewritten graph into the graph being traced; return its flat outputs.

        Raises:
            ValueError: if the graph holds what cannot be rewritten (loops of TensorFlow 1).
        """
        import tensorflow as tf

        source = self._concrete.graph
        for variable in source.variables:
            tf.compat.v1.get_default_graph().watch_variable(variable)
        outputs, _ = self._replay.replay(source, [*tensors, *self._concrete.captured_inputs])
        return outputs

    def compile(self) -> Any:
        """Trace for the shapes and dtypes of the original's inputs; return a ConcreteFunction.

        Raises:
            ValueError: as in `__call__`.
        """
        import tensorflow as tf

        own = self._concrete.inputs[: len(self._concrete.inputs) - len(self._concrete.captured_inputs)]
        specs = [tf.TensorSpec(t.shape, t.dtype, name=t.op.name) for t in own]
        return tf.function(self.__call__, autograph=False).get_concrete_function(*specs)


def dtypes_of(concrete: Any) -> frozenset[str]:
    """Return the names of the dtypes that occur in a traced function and in the functions that it calls."""
    import tensorflow as tf

    graph = concrete.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    attributes = [value for node in nodes for value in node.attr.values()]
    found = {t for value in attributes for t in (value.type, *value.list.type) if t}
    return frozenset(tf.as_dtype(t).name for t in found)


def effective(arithmetic: Mapping[str, str], dtypes: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return what an arithmetic changes in a model with these dtypes, in a fixed order."""
    return tuple(sorted((old, new) for old, new in arithmetic.items() if old in dtypes))
