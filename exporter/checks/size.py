"""Models that a format cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem

FLATBUFFER_LIMIT = 2**31 - 2**20  # bytes; flatbuffers address with 31 bits, and the graph needs some of them


@RULES.register("size")
def size(source: Source, options: Options) -> Iterator[Problem]:
    """Find models whose weights exceed what a TFLite file can address."""
    weights = sum(_bytes(v.value.dtype) * v.value.shape.num_elements() for v in source.model.weights)
    if weights > FLATBUFFER_LIMIT:
        yield Problem(
            where=source.model.name,
            reason=f"{weights / 2**30:.2f} GiB of weights; a TFLite file ends at 2 GiB",
            remedy="export to ONNX, which keeps large weights in a second file, or split the model",
            formats=("tflite", "micro"),
        )


def _bytes(dtype: Any) -> int:
    """Return the bytes of a number in the file, which has narrow floats as float32."""
    return max(dtype.size, 4) if dtype.is_floating else int(dtype.size)
