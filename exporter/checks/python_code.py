"""Python functions inside the graph: they exist in the process that made the model, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.inference import Inference
from exporter.capture.layer_scopes import layer_of
from exporter.checks import GRAPH
from exporter.checks._graph import operations
from exporter.spec import Options, Problem

OPS = frozenset({"EagerPyFunc", "PyFunc", "PyFuncStateless"})


@GRAPH.register("python code")
def python_code(inference: Inference, options: Options) -> Iterator[Problem]:
    """Find tf.py_function and tf.numpy_function; where no output depends on one, a SavedModel would still call it."""
    found: dict[str, bool] = {}
    for op in operations(inference):
        if op.types & OPS:
            layer = layer_of(op.name, inference.model)
            found[layer] = found.get(layer, False) or op.needed
    for layer, needed in sorted(found.items()):
        yield Problem(
            where=f"layer {layer!r}",
            reason="it calls a Python function (tf.py_function, tf.numpy_function), which no file can hold",
            remedy="write it with keras.ops or TensorFlow ops, or leave it out: run it before or after the exported model",
            formats=() if needed else ("saved_model",),
        )
