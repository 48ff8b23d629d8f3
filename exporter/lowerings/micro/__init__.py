"""Lowerings to TFLite for microcontrollers alone, beside those of `exporter.lowerings.tflite`.

They replace what LiteRT runs best as it is, but TensorFlow Lite Micro has no kernels for.
"""

from __future__ import annotations

from exporter.lowerings.override import Replacement


def functions() -> dict[str, Replacement]:
    """Return the functions to replace, as `exporter.lowerings.override.overridden` takes them."""
    from exporter.lowerings.micro.taking import take

    return {"numpy.take": take}
