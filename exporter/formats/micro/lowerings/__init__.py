"""Lowerings to TFLite for microcontrollers alone, beside those of `exporter.formats.tflite.lowerings`.

They replace what LiteRT runs best as it is, but TensorFlow Lite Micro has no kernels for.
"""

from __future__ import annotations

from exporter.capture.patching import Replacement


def functions() -> dict[str, Replacement]:
    """Return the functions to replace, as `exporter.capture.patching.overridden` takes them."""
    from exporter.formats.micro.lowerings.take import take

    return {"numpy.take": take}
