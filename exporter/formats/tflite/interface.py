"""The dtypes that inputs and outputs may have. What lies between is computed in float32 (`formats.tflite.lower`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.errors import UnsupportedError

if TYPE_CHECKING:
    from exporter.capture.inference import Inference

# What a file's inputs and outputs may be: there is a CAST to or from it, and the interpreter can set and read it.
# A float64 output would promise digits that are not there.
OUTPUTS = (
    "float32",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "bool",
    "string",
    "complex64",
)
INPUTS = (*OUTPUTS, "float64")
WRITTEN_AS = {"bfloat16": "float32"}  # which holds every bfloat16


def check_interface(inference: Inference) -> None:
    """Refuse inputs and outputs of a dtype that TFLite does not have.

    Raises:
        UnsupportedError: naming the first of them.
    """
    for infos, allowed in ((inference.inputs, INPUTS), (inference.outputs, OUTPUTS)):
        for info in infos:
            if WRITTEN_AS.get(info.dtype, info.dtype) not in allowed:
                raise UnsupportedError(
                    "TFLite has no such dtype here",
                    where=str(info),
                    reason=f"{info.dtype} is not among {', '.join(allowed)}",
                    remedy=f"cast it in the model, e.g. keras.ops.cast({info.name}, 'float32')",
                )
