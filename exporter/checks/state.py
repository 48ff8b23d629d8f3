"""Layers that remember from one call to the next: a file has no place to keep it."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem

WITHOUT_STATE = ("onnx", "ort", "tflite", "micro")


@RULES.register("state")
def state(source: Source, options: Options) -> Iterator[Problem]:
    """Find stateful recurrent layers, which would differ from Keras at the second call."""
    for layer in source.layers:
        if getattr(layer, "stateful", False):
            yield Problem(
                where=f"{layer.path} ({type(layer).__name__})",
                reason="stateful=True keeps the state between calls, which these formats cannot",
                remedy="build the layer with stateful=False, take the state as an input (initial_state=) and "
                "return it (return_state=True)",
                formats=WITHOUT_STATE,
            )
