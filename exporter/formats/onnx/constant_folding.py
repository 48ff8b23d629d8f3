"""Constant folding: what depends on constants alone is computed by TensorFlow itself, while exporting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.value import Constant

LARGEST = 1 << 20  # elements; a larger result that is not smaller than its inputs is left for the runtime to compute
SMALL = 1 << 10  # elements; of these also what gives a number of elements that only running it tells
LAZY = frozenset(
    {"Cast", "Identity", "Reshape", "Transpose", "ExpandDims", "Squeeze", "StopGradient"}
)  # done when written


def folded(op: Any, inputs: Sequence[Any]) -> list[np.ndarray] | None:
    """Return the results of `op` if they are known while exporting, else None."""
    if op.type == "Const":
        import tensorflow as tf

        return [tf.make_ndarray(op.get_attr("value"))]
    if (static := _static(op)) is not None:
        return [static]
    if not _worth_it(op, inputs):
        return None
    import tensorflow as tf

    tensors = [tf.constant(_array(c, t), dtype=t.dtype) for c, t in zip(inputs, op.inputs, strict=True)]
    results = execute(op, tensors)
    return [
        np.asarray(r.numpy()).astype(np.float32) if r.dtype in (tf.float16, tf.bfloat16) else r.numpy() for r in results
    ]


def _static(op: Any) -> np.ndarray | None:
    """Return what TensorFlow can tell of integers that describe shapes."""
    from tensorflow.python.framework import tensor_util

    if len(op.outputs) != 1 or not op.outputs[0].dtype.is_integer or op.outputs[0].shape.rank not in (0, 1):
        return None
    value = tensor_util.constant_value(op.outputs[0], partial=False)
    return None if value is None else np.asarray(value)


def _worth_it(op: Any, inputs: Sequence[Any]) -> bool:
    if not inputs or not all(isinstance(value, Constant) for value in inputs) or op.op_def.is_stateful:
        return False
    given = sum(value.size for value in inputs)
    if op.type in LAZY and given > LARGEST:
        return False
    if any(output.dtype in ("variant", "resource") for output in op.outputs):
        return False
    if any(attribute.type in ("func", "list(func)") for attribute in op.op_def.attr):
        return False
    made = [output.shape.num_elements() for output in op.outputs]
    if None in made:
        return given <= SMALL
    return sum(n or 0 for n in made) <= max(LARGEST, given)


def _array(constant: Constant, tensor: Any) -> np.ndarray:
    array = constant.array
    wanted = tensor.dtype.as_numpy_dtype
    return array if array.dtype == object else array.astype(wanted)


def execute(op: Any, tensors: Sequence[Any]) -> list[Any]:
    """Run one op eagerly with the attributes that it has in the graph."""
    import tensorflow as tf
    from tensorflow.python.eager import context, execute

    attributes: list[Any] = []
    for attribute in op.op_def.attr:
        value = op.get_attr(attribute.name)
        attributes += [attribute.name, _plain(value)]
    with tf.device("CPU:0"):
        return list(execute.execute(op.type, len(op.outputs), list(tensors), tuple(attributes), context.context()))


def _plain(value: Any) -> Any:
    if hasattr(value, "as_datatype_enum"):
        return value.as_datatype_enum
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
