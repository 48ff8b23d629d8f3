"""Export Keras 3 models to SavedModel, TFLite and ONNX files that are verified to compute what Keras computes.

The public names are loaded when they are first used: `import exporter` imports no TensorFlow, Keras, ONNX or runtime.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from exporter.version import __version__

if TYPE_CHECKING:
    from exporter.authoring.decorator import layer
    from exporter.lambdas import remove_lambdas
    from exporter.loading import load
    from exporter.pipeline import check, export, locate, verify
    from exporter.spec import Artifact, Location, Parity, Problem, Report

_HOMES = {
    "Artifact": "exporter.spec",
    "Location": "exporter.spec",
    "Parity": "exporter.spec",
    "Problem": "exporter.spec",
    "Report": "exporter.spec",
    "check": "exporter.pipeline",
    "export": "exporter.pipeline",
    "layer": "exporter.authoring.decorator",
    "load": "exporter.loading",
    "locate": "exporter.pipeline",
    "remove_lambdas": "exporter.lambdas",
    "verify": "exporter.pipeline",
}

__all__ = [
    "Artifact",
    "Location",
    "Parity",
    "Problem",
    "Report",
    "__version__",
    "check",
    "export",
    "layer",
    "load",
    "locate",
    "remove_lambdas",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in ("activations", "errors", "layers", "losses"):
        return importlib.import_module(f"exporter.{name}")
    raise AttributeError(f"module 'exporter' has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
