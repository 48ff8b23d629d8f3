"""Dynamic dimensions that TFLite cannot leave open: found by trying sizes in their place, and asked for by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from exporter.errors import ExporterError, InvalidArtifactError, UnsupportedError
from exporter.formats.tflite.build import convert
from exporter.formats.tflite.runner import PLAUSIBLE, allocated, sized_shapes

if TYPE_CHECKING:
    from exporter.capture.inference import Inference
    from exporter.spec import TensorInfo


def asking_for_sizes(
    error: UnsupportedError | InvalidArtifactError, inference: Inference, inputs: Sequence[TensorInfo]
) -> ExporterError:
    """Return the error to raise where a file for `inputs` has failed with `error`: the same, or one that asks for sizes."""
    open_inputs = [info for info in inputs if None in info.shape[1:]]
    for size in PLAUSIBLE if open_inputs else ():
        fixed = [replace(i, shape=(*i.shape[:1], *(size if d is None else d for d in i.shape[1:]))) for i in inputs]
        if sized_shapes(inputs, size) and _works(inference, fixed):
            chosen = [info for info in fixed if info.name in {i.name for i in open_inputs}]
            return UnsupportedError(
                "TFLite needs to know the sizes of an input",
                where=", ".join(map(str, open_inputs)),
                reason=error.reason,
                remedy=f"give sizes for '?', such as {_written(chosen)}",
            )
    return error


def keras_takes_none(inference: Inference, inputs: Sequence[TensorInfo]) -> bool:
    """Return whether Keras, too, refuses every size that was tried: then that LiteRT does says nothing about the file.

    A transposed convolution to a shape that an input gives takes four numbers, not 64.
    """
    return all(
        not _runs(inference, inputs, shapes) for size in PLAUSIBLE if (shapes := sized_shapes(inputs, size)) is not None
    )


def _runs(inference: Inference, inputs: Sequence[TensorInfo], shapes: Sequence[tuple[int, ...]]) -> bool:
    import tensorflow as tf

    try:
        concrete = inference.trace(
            inference.__call__, [replace(i, shape=s) for i, s in zip(inputs, shapes, strict=True)]
        )
        concrete(*(tf.zeros(s, i.dtype) for i, s in zip(inputs, shapes, strict=True)))
    except (ExporterError, TypeError, ValueError, tf.errors.OpError):
        return False
    return True


def _written(infos: Sequence[TensorInfo]) -> str:
    options = " ".join(f"--shape {i.name}={','.join(map(str, i.shape[1:]))}" for i in infos)
    signature = ", ".join(f"{i.name!r}: {i.shape[1:]}" for i in infos)
    return f"{options} (in Python: input_signature={{{signature}}})"


def _works(inference: Inference, inputs: Sequence[TensorInfo]) -> bool:
    import tensorflow as tf

    try:
        return allocated(convert(inference, inputs).body)
    except (ExporterError, TypeError, ValueError, tf.errors.OpError):  # Keras cannot compute it for these sizes
        return False
