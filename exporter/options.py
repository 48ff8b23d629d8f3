"""Check what the user asked for, before any heavy library is imported."""

from __future__ import annotations

from collections.abc import Sequence

from exporter import formats as known_formats
from exporter.errors import UsageError
from exporter.spec import Batch, Options


def checked_options(  # one parameter for each option
    formats: Sequence[str],
    batch: Batch,
    tflite_batch: Batch,
    opset: int | None,
    quantize: str | None,
    verify: bool,
    allow_flex: bool = False,
) -> Options:
    """Return the options, each checked.

    Raises:
        UsageError: if one of them is wrong.
    """
    wanted = tuple(dict.fromkeys([formats] if isinstance(formats, str) else formats))
    unknown = [name for name in wanted if name not in known_formats.names()]
    if unknown or not wanted:
        remedy = f"choose from {', '.join(known_formats.names())}"
        raise UsageError(
            "unknown format" if unknown else "no format asked for", where=", ".join(unknown), remedy=remedy
        )
    for name, size in (("batch", batch), ("tflite_batch", tflite_batch)):
        if size != "dynamic" and not (isinstance(size, int) and not isinstance(size, bool) and size > 0):
            raise UsageError("a batch size is a positive int or 'dynamic'", where=f"{name}={size!r}")
    if quantize is not None:
        raise UsageError(
            "this version has no quantization recipes", where=f"quantize={quantize!r}", remedy="leave it out"
        )
    return Options(wanted, batch, tflite_batch, opset, quantize, verify, allow_flex)
