"""Products of two computed matrices, each a batch of one: the converter loses an activation behind rank 2.

For relu(a b) it writes a BATCH_MATMUL, which has no activation, without the relu; of rank 3 it writes both. A constant second
factor becomes a FULLY_CONNECTED, which has one.

XNNPACK has no products of more than six axes, into which the converter takes reshapings, too: such products
are 1x1 convolutions of rows, or have one batch.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op

WEIGHTS = frozenset({"Const", "ReadVariableOp"})
SHAPING = frozenset({"Cast", "ExpandDims", "Identity", "Reshape", "Squeeze", "Transpose"})
CLIPS = frozenset({"Maximum", "Minimum", "Relu", "Relu6"})
MOST_AXES = 6


@lowers_op("MatMul")
def matmul(op: Any, a: Any, b: Any) -> Any:
    """Return the product of two computed matrices that an activation follows, and of one that was flattened from many axes."""
    if not a.dtype.is_floating:
        return NotImplemented
    clipped = not _is_weight(op.inputs[1]) and _is_clipped(op.outputs[0])
    if _is_of_many_axes(op.inputs[0]) and not op.get_attr("transpose_a"):
        return _as_convolution(a, b, op.get_attr("transpose_b"))
    if not clipped:
        return NotImplemented
    return _as_batch(a, b, op.get_attr("transpose_a"), op.get_attr("transpose_b"))


@lowers_op("Softmax")
def softmax(op: Any, x: Any) -> Any:
    """Return the softmax of many axes, row by row."""
    if (x.shape.rank or 0) <= MOST_AXES:
        return NotImplemented
    return tf.reshape(tf.nn.softmax(tf.reshape(x, tf.stack([-1, sizes_of(x)[-1]]))), tf.stack(sizes_of(x)))


@lowers_op("BatchMatMulV2", "BatchMatMulV3")
def batch_matmul(op: Any, a: Any, b: Any) -> Any:
    """Return products of many axes, and of two computed matrices that an activation follows."""
    if not (a.dtype.is_floating and b.dtype.is_floating) or None in (a.shape.rank, b.shape.rank):
        return NotImplemented
    flags = (op.get_attr("adj_x"), op.get_attr("adj_y"))
    if max(a.shape.rank, b.shape.rank) > MOST_AXES:
        return _of_many_axes(a, b, *flags)
    if a.shape.rank == b.shape.rank == 2 and not _is_weight(op.inputs[1]) and _is_clipped(op.outputs[0]):
        return _as_batch(a, b, *flags)
    return NotImplemented


def _as_batch(a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    product = tf.matmul(tf.expand_dims(a, 0), tf.expand_dims(b, 0), transpose_a=transpose_a, transpose_b=transpose_b)
    return tf.squeeze(product, 0)


def _as_convolution(a: Any, b: Any, transpose_b: bool) -> Any:
    """Return the product of [m, k] and [k, n] as a 1x1 convolution, which the converter leaves at the shape that it has."""
    kernel = tf.transpose(b) if transpose_b else b
    features = kernel.shape[0] or a.shape[1]
    images = tf.reshape(a, tf.stack([1, -1, 1, features or tf.shape(a)[1]]))
    images.set_shape([1, None, 1, features])
    return tf.reshape(tf.nn.conv2d(images, kernel[None, None], 1, "VALID"), tf.stack([-1, sizes_of(kernel)[1]]))


def _of_many_axes(a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    """Return the product of [..., m, k] and [..., k, n], all leading axes as one; one of size 1 is repeated."""
    if b.shape.rank == 2 and not transpose_a:
        rows = _as_convolution(tf.reshape(a, tf.stack([-1, sizes_of(a)[-1]])), b, transpose_b)
        return tf.reshape(rows, tf.stack([*sizes_of(a)[:-1], sizes_of(rows)[-1]]))
    batch_a, batch_b = sizes_of(a)[:-2], sizes_of(b)[:-2]
    missing = len(batch_a) - len(batch_b)
    batch_a, batch_b = [1] * -missing + batch_a, [1] * missing + batch_b
    batch = list(map(_common, batch_a, batch_b))
    a = tf.reshape(_repeated(a, batch_a, batch), [-1, *sizes_of(a)[-2:]])
    b = tf.reshape(_repeated(b, batch_b, batch), [-1, *sizes_of(b)[-2:]])
    product = tf.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    return tf.reshape(product, tf.stack([*batch, *sizes_of(product)[-2:]]))


def _common(a: Any, b: Any) -> Any:
    """Return the size of an axis that has size `a` in one factor and `b` in the other, one of them 1 unless they are equal."""
    if isinstance(a, int) and isinstance(b, int):
        return b if a == 1 else a
    return tf.maximum(a, b)


def _repeated(x: Any, have: list[Any], wanted: list[Any]) -> Any:
    """Return x with its leading axes of size 1 repeated to the sizes that are wanted, as one axis."""
    matrix = sizes_of(x)[-2:]
    inner: Any = 1
    x = tf.reshape(x, tf.stack([-1, *matrix]))
    for own, size in zip(reversed(have), reversed(wanted), strict=True):
        if own is not size and not (isinstance(own, int) and isinstance(size, int) and own == size):
            rows = tf.reshape(x, tf.stack([-1, 1, inner * own, *matrix]))
            x = tf.reshape(tf.tile(rows, tf.stack([1, size // own, 1, 1, 1])), tf.stack([-1, *matrix]))
        inner = inner * size
    return x


def _is_weight(tensor: Any) -> bool:
    """Return whether a tensor is a weight or a constant, moved about at most."""
    while tensor.op.type in SHAPING:
        tensor = tensor.op.inputs[0]
    return tensor.op.type in WEIGHTS


def _is_clipped(tensor: Any) -> bool:
    """Return whether an activation that can be fused follows, shapes changed in between at most."""
    stack = [tensor]
    while stack:
        for op in stack.pop().consumers():
            if op.type in CLIPS:
                return True
            if op.type in SHAPING:
                stack.append(op.outputs[0])
    return False


def _is_of_many_axes(tensor: Any) -> bool:
    """Return whether a matrix was more than XNNPACK has axes for: the converter takes the reshaping into the product."""
    op = tensor.op
    return op.type == "Reshape" and (op.inputs[0].shape.rank or 0) > MOST_AXES
