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


def checked_tolerance(tolerance: float | None) -> float | None:
    """Return the tolerance that the user states.

    Raises:
        UsageError: if it is no number between 0 and 1.
    """
    if tolerance is None or (
        isinstance(tolerance, int | float) and not isinstance(tolerance, bool) and 0 < tolerance < 1
    ):
        return tolerance
    raise UsageError(
        "a tolerance is a number between 0 and 1, relative to the largest value of an output",
        where=f"tolerance={tolerance!r}",
        remedy="tolerance=1e-3 accepts a thousandth of it",
    )
