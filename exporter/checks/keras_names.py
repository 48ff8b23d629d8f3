"""Functions of Keras that its installed version does not have, and what is left out for it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from exporter.capture.keras_patches import PATCHES
from exporter.capture.patching import absent
from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem

REGISTRIES = {"onnx": "onnx", "ort": "onnx", "tflite": "tflite", "micro": "tflite"}  # whose lowerings a format uses


@RULES.register("keras_names")
def keras_names(source: Source, options: Options) -> Iterator[Problem]:
    """Find private functions that this package replaces while it traces, and that this Keras lacks."""
    names = {patch.target for patch in PATCHES}
    for registry in {REGISTRIES[name] for name in options.formats if name in REGISTRIES}:
        names |= importlib.import_module(f"exporter.formats.{registry}.registry").replaced_functions()
    if missing := absent(sorted(names)):
        import keras

        yield Problem(
            where=f"Keras {keras.__version__}",
            reason=f"it does not have {', '.join(missing)}, which this package replaces while it traces a model: what Keras "
            "has in their place is converted as it is, right but perhaps slower",
            remedy="use a version of Keras that this package was tested with, if the speed matters",
            severity="info",
        )
