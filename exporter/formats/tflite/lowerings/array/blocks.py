"""Blocks of an image as rows of the batch and back, one axis at a time: the builtin ops take three or four axes only.

Of the batch the first block axis is the outermost part. [b · B, P, s, R], where P and R are all axes before and behind, is
[b, B, P, s, R], and with the block behind its axis [B, P, s · b, R].
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.constant_values import constant
from exporter.formats.tflite.lowerings.array.static_shapes import sizes_of
from exporter.formats.tflite.registry import lowers_op


@lowers_op("BatchToSpaceND")
def batch_to_space(op: Any, x: Any, block: Any, crops: Any) -> Any:
    """Return the blocks put together, and cropped."""
    if _is_builtin(op) or block.shape[0] is None or x.shape.rank is None:
        return NotImplemented
    block, crops = tf.cast(block, tf.int32), tf.cast(crops, tf.int32)
    for axis in range(1, block.shape[0] + 1):
        sizes, size = sizes_of(x), block[axis - 1]
        parts = [size, sizes[0] // size, _product(sizes[1:axis]), sizes[axis], -1]
        x = tf.transpose(tf.reshape(x, tf.stack(parts)), [1, 2, 3, 0, 4])
        x = tf.reshape(x, tf.stack([sizes[0] // size, *sizes[1:axis], sizes[axis] * size, *sizes[axis + 1 :]]))
    return _cropped(x, tf.reshape(crops, [block.shape[0], 2]))


@lowers_op("SpaceToBatchND")
def space_to_batch(op: Any, x: Any, block: Any, paddings: Any) -> Any:
    """Return the image padded, and its blocks one by one."""
    if _is_builtin(op) or block.shape[0] is None or x.shape.rank is None:
        return NotImplemented
    block, paddings = tf.cast(block, tf.int32), tf.cast(paddings, tf.int32)
    count = block.shape[0]
    paddings = tf.reshape(paddings, [count, 2])
    rest = tf.zeros([x.shape.rank - 1 - count, 2], tf.int32)
    x = tf.pad(x, tf.concat([[[0, 0]], paddings, rest], 0))
    for axis in range(count, 0, -1):
        sizes, size = sizes_of(x), block[axis - 1]
        parts = [sizes[0], _product(sizes[1:axis]), sizes[axis] // size, size, _product(sizes[axis + 1 :])]
        x = tf.transpose(tf.reshape(x, tf.stack(parts)), [3, 0, 1, 2, 4])
        x = tf.reshape(x, tf.stack([sizes[0] * size, *sizes[1:axis], sizes[axis] // size, *sizes[axis + 1 :]]))
    return x


def _is_builtin(op: Any) -> bool:
    """Return whether the builtin op takes it: three or four axes, all blocks but the batch and the channels, constants."""
    rank, known = op.inputs[0].shape.rank, all(constant(i) is not None for i in op.inputs[1:])
    return rank in (3, 4) and known and op.inputs[1].shape[0] == rank - 2


def _cropped(x: Any, crops: Any) -> Any:
    count = crops.shape[0]
    first = [0, *(crops[i, 0] for i in range(count)), *[0] * (x.shape.rank - 1 - count)]
    sizes = sizes_of(x)
    kept = [sizes[i + 1] - crops[i, 0] - crops[i, 1] for i in range(count)]
    return tf.slice(x, tf.stack(first), tf.stack([sizes[0], *kept, *sizes[count + 1 :]]))


def _product(sizes: list[Any]) -> Any:
    total: Any = 1
    for size in sizes:
        total = total * size
    return total
