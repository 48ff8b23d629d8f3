"""Variables that `call` assigns and computes from: a file has no place to keep them."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.inference import Inference
from exporter.capture.layer_scopes import layer_of
from exporter.checks import GRAPH
from exporter.checks._graph import operations
from exporter.checks.random_numbers import draws
from exporter.checks.state import WITHOUT_STATE
from exporter.spec import Options, Problem


@GRAPH.register("assignments")
def assignments(inference: Inference, options: Options) -> Iterator[Problem]:
    """Find layers that remember something from call to call; stateful=True and random seeds have rules of their own."""
    model = inference.model
    stateful = {layer.name for layer in model._flatten_layers() if getattr(layer, "stateful", False)}
    guilty = [op for op in operations(inference) if op.written and not draws(op, inference)]
    for layer in sorted({layer_of(op.name, model) for op in guilty} - stateful):
        yield Problem(
            where=f"layer {layer!r}",
            reason="its call() assigns a variable that the outputs depend on, and these formats have no place to keep it",
            remedy="make what it remembers an input and an output of the model",
            formats=WITHOUT_STATE,
        )
