"""What a model is told of ops that ONNX has no form for, and what stands in for them until the walk has seen them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx_ir as ir

from exporter.errors import UnsupportedError
from exporter.formats.onnx.builder.value import Value, identity
from exporter.formats.onnx.trace import Marker

ANY = "replace it by layers or keras.ops functions that ONNX has, or leave it out of the exported model"
RANDOM = "return the mean unless training, or make the random numbers an input of the model"
PYTHON = "write it with keras.ops or TensorFlow ops, or run it before or after the model: a file holds no Python"
STATE = "hand the state in as an input and out as an output of the model"
TEXT = "work on the text before the model, and export the model that takes its numbers"

REMEDIES: Mapping[str, str] = {
    "AssignAddVariableOp": STATE,
    "AssignSubVariableOp": STATE,
    "AssignVariableOp": STATE,
    "CombinedNonMaxSuppression": "give its boxes and scores fixed shapes, the batch included: keras.Input(batch_shape=...)",
    "EagerPyFunc": PYTHON,
    "Multinomial": RANDOM,
    "NthElement": "sort, and take the element: keras.ops.sort(x)[..., n]",
    "PyFunc": PYTHON,
    "PyFuncStateless": PYTHON,
    "ResizeArea": "give the Input a fixed height and width, or resize with method='bilinear'",
    "ResizeBicubic": "give the Input a fixed height and width, or resize with method='bilinear'",
    "ScaleAndTranslate": "give the Input a fixed height and width, or resize without antialias",
    "VarHandleOp": STATE,
}
PREFIXES: Mapping[str, str] = {
    "Random": RANDOM,
    "StatelessRandom": RANDOM,
    "StatelessTruncated": RANDOM,
    "String": TEXT,
}


def refusal(scope: str, marker: Marker | None, op: Any, reason: str) -> UnsupportedError:
    """Return the error for an op, or a marked call, in the layer `scope`."""
    return UnsupportedError(
        "this cannot be expressed in ONNX",
        where=f"{scope} ({type(marker.layer).__name__ if marker and marker.layer is not None else op.type})",
        reason=reason,
        remedy=ANY if marker is not None else _remedy_for(op.type),
    )


def _remedy_for(op_type: str) -> str:
    """Return what to do about an op of TensorFlow that cannot be expressed in ONNX."""
    by_prefix = (remedy for prefix, remedy in PREFIXES.items() if op_type.startswith(prefix))
    return REMEDIES.get(op_type) or next(by_prefix, ANY)


def stand_in(output: Any) -> Value | None:
    """Return a value for what could not be lowered, so that the walk goes on and finds the other refusals too."""
    if output.dtype in ("variant", "resource"):
        return None
    dtype = ir.DataType.FLOAT if output.dtype.is_floating or output.dtype.is_complex else ir.DataType.INT64
    shape = tuple(output.shape.as_list()) if output.shape.rank is not None else ()
    return Value(ir.Value(name=output.name, type=ir.TensorType(dtype)), shape, dtype, identity(len(shape)))
