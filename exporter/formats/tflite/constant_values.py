"""What a tensor of a traced graph is, where it depends on constants and static shapes alone."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def constant(tensor: Any) -> np.ndarray | None:
    """Return the value of a tensor, or None if it depends on an input, a variable or a function.

    TensorFlow's `get_static_value` knows few ops; here each op between is run once, outside of the graph.
    """
    value = tf.get_static_value(tensor)
    value = _static_sizes(tensor) if value is None else value
    if value is not None:
        return np.asarray(value)
    op = tensor.op
    if not hasattr(tf.raw_ops, op.type) or not op.inputs or op.op_def.is_stateful:
        return None
    inputs = [constant(i) for i in op.inputs]
    if any(i is None for i in inputs):
        return None
    return run_again(op, inputs)[tensor.value_index].numpy()


def run_again(op: Any, inputs: Sequence[Any]) -> list[Any]:
    """Run an op of a graph outside of it on inputs that are known; return its results."""
    if op.type == "IdentityN":
        return list(inputs)
    raw = getattr(tf.raw_ops, op.type)
    with tf.init_scope():
        outputs = raw(**_arguments(op, raw, inputs))
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _static_sizes(tensor: Any) -> list[int] | None:
    """Return the part of a shape that is static, though the rest of the shape is not."""
    from tensorflow.python.framework.tensor_util import constant_value_as_shape

    if tensor.dtype not in (tf.int32, tf.int64) or tensor.shape.rank != 1 or tensor.shape[0] is None:
        return None
    sizes = constant_value_as_shape(tensor)
    return sizes.as_list() if sizes.is_fully_defined() else None


def _arguments(op: Any, raw: Any, inputs: Sequence[Any]) -> dict[str, Any]:
    """Return the keyword arguments that run `op` again on `inputs`."""
    names = inspect.signature(raw).parameters
    arguments: dict[str, Any] = {a.name: op.get_attr(a.name) for a in op.op_def.attr if a.name in names}
    values = iter(tf.constant(v, i.dtype) for v, i in zip(inputs, op.inputs, strict=True))
    for argument in op.op_def.input_arg:
        if argument.number_attr:
            arguments[argument.name] = [next(values) for _ in range(op.get_attr(argument.number_attr))]
        else:
            arguments[argument.name] = next(values)
    return arguments
