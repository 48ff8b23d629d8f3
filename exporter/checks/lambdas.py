"""Lambda layers: they export, but their model file does not reload in safe mode."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem


@RULES.register("lambdas")
def lambdas(source: Source, options: Options) -> Iterator[Problem]:
    """Find Lambda layers."""
    import keras

    for layer in source.layers:
        if isinstance(layer, keras.layers.Lambda):
            yield Problem(
                where=f"{layer.path} (Lambda)",
                reason="its function is stored as Python bytecode, which safe loading refuses",
                remedy="rewrite it with exporter.remove_lambdas(model) or kx fix, or write an exporter.layers.Expression",
                severity="warning",
            )
