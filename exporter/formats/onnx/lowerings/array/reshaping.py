"""TensorFlow's ops that change the shape of a tensor and not its elements: Reshape, ExpandDims, Squeeze, Transpose.

A target of Reshape becomes a constant with one -1 wherever at most one dimension is unknown while exporting.
Transposes write no node: they change the order in which a value lies.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import wide
from exporter.formats.onnx.builder.static import known_ints, static_shape
from exporter.formats.onnx.builder.value import Constant, Shape, Value
from exporter.formats.onnx.registry import lowers_op


@lowers_op("Reshape")
def reshape(g: Graph, op: Any, x: Value, target: Value) -> Value:
    """Reshape; the target is a constant if it can be."""
    count = target.shape[0]
    if op.outputs[0].shape.rank is None and count is not None:  # the target's length may be known here all the same
        return reshaped(g, x, target, (None,) * count)
    wanted = static_shape(op)
    if wanted == x.shape and wanted.count(None) <= 1:
        return x
    constant = constant_target(op, wanted)
    if constant is not None:
        return g.op("Reshape", x, g.constant(constant, np.int64), shape=wanted)
    return reshaped(g, x, target, wanted)


def reshaped(g: Graph, x: Value, target: Value, wanted: Shape) -> Value:
    """Reshape to dimensions that the model computes; a 0 among them is a dimension of size 0."""
    zeros = 1 if g.supports_opset(14) else None
    return g.op("Reshape", x, wide(g, target), shape=wanted, allowzero=zeros)


def constant_target(op: Any, wanted: Shape) -> list[int] | None:
    """Return the target of a TensorFlow Reshape as ONNX has it, None if it is not known.

    0 keeps the dimension of the input along the same axis. -1 (once) is worked out, which fails on an empty tensor if
    another dimension may be 0.
    """
    if 0 in wanted:
        return None
    unknown = [axis for axis, d in enumerate(wanted) if d is None]
    target = [-1 if d is None else d for d in wanted]
    if len(unknown) > 1:
        for axis in unknown:
            target[axis] = 0 if _is_dimension(op.inputs[1], axis, op.inputs[0]) else -1
    left_open = target.count(-1)
    if left_open == 1 and len(unknown) > 1:
        return target if _is_left_open(op.inputs[1], target.index(-1)) else None
    return target if left_open <= 1 else None


def _is_left_open(target: Any, axis: int) -> bool:
    """Whether element `axis` of the vector `target` is -1: then TensorFlow fails where ONNX would."""
    from tensorflow.python.framework import tensor_util

    known = tensor_util.constant_value(target, partial=True)
    return known is not None and known[axis] == -1


def _is_dimension(target: Any, axis: int, tensor: Any) -> bool:
    """Whether element `axis` of the packed vector `target` is the size of `tensor` along the same axis."""
    from tensorflow.python.framework import tensor_util

    if target.op.type != "Pack" or tensor.shape.rank is None or axis >= tensor.shape.rank:
        return False
    part = target.op.inputs[axis].op
    if part.type != "StridedSlice" or part.inputs[0].op.type != "Shape" or not part.get_attr("shrink_axis_mask"):
        return False
    start = tensor_util.constant_value(part.inputs[1])
    return start is not None and list(start) == [axis] and part.inputs[0].op.inputs[0] is tensor


@lowers_op("ExpandDims")
def expand_dims(g: Graph, op: Any, x: Value, axis: Value) -> Value:
    """Unsqueeze, wherever the axes lie in the file."""
    (place,) = known_ints(axis, "the axis of expand_dims")
    return unsqueezed(g, x, place % (x.rank + 1))


def unsqueezed(g: Graph, x: Value, axis: int) -> Value:
    """Insert an axis of size 1 before Keras's `axis`."""
    shape = (*x.shape[:axis], 1, *x.shape[axis:])
    if isinstance(x, Constant):
        return x.reshape(*(d or 0 for d in shape))
    place = x.order.index(axis) if axis < x.rank else x.rank
    moved = [a + 1 if a >= axis else a for a in x.order]
    order = (*moved[:place], axis, *moved[place:])
    return g.raw("Unsqueeze", x, g.constant([place], np.int64), shape=shape, dtype=x.dtype, order=order)


@lowers_op("Squeeze")
def squeeze(g: Graph, op: Any, x: Value) -> Value:
    """Squeeze, wherever the axes lie in the file; a condition that only running tells the shape of is a scalar."""
    dims = [d % x.rank for d in op.get_attr("squeeze_dims")]
    if not dims and None in x.shape and _is_condition(op):
        return g.op("Reshape", x, g.constant(np.zeros(0, np.int64)), shape=())
    return squeezed(g, x, dims or [axis for axis, d in enumerate(x.shape) if d == 1])


def _is_condition(op: Any) -> bool:
    """Whether a Squeeze is what tf.cond and tf.while_loop put behind their conditions."""
    if op.outputs[0].dtype.name != "bool":
        return False
    takers = op.outputs[0].consumers()
    if takers and all(t.type in ("If", "StatelessIf") or (t.type == "Squeeze" and _is_condition(t)) for t in takers):
        return True
    ends = {taker.type for taker in takers} <= {"Identity"}
    return ends and re.search(r"_cond_\d+$", op.graph.name) is not None


def squeezed(g: Graph, x: Value, axes: list[int]) -> Value:
    """Drop Keras's `axes`, of size 1."""
    kept = [axis for axis in range(x.rank) if axis not in axes]
    shape = tuple(x.shape[axis] for axis in kept)
    if not axes:
        return x
    if isinstance(x, Constant):
        return x.reshape(*(d or 0 for d in shape))
    order = tuple(kept.index(axis) for axis in x.order if axis in kept)
    places = sorted(x.axis(axis) for axis in axes)
    return g.raw("Squeeze", x, g.constant(places, np.int64), shape=shape, dtype=x.dtype, order=order)


@lowers_op("Transpose")
def transpose(g: Graph, op: Any, x: Value, permutation: Value) -> Value:
    """Nothing is written: the axes get new names."""
    return transposed(x, known_ints(permutation, "the permutation of transpose"))


def transposed(x: Value, permutation: list[int]) -> Value:
    """Return `x` with Keras's axis `permutation[i]` as axis i."""
    if isinstance(x, Constant):
        return x.transpose(*permutation)
    order = tuple(permutation.index(axis) for axis in x.order)
    return Value(x.ir, tuple(x.shape[axis] for axis in permutation), x.dtype, order)
