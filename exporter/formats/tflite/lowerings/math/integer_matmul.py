"""Products of integer matrices, as Keras's own int8 layers make them, by way of float32.

Every sum of up to 1040 products of int8 numbers is an integer below 2^24, which float32 holds exactly; longer sums are
rounded to 24 bits.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("BatchMatMulV3", priority=1)
def batch_matmul(op: Any, a: Any, b: Any) -> Any:
    """Return the product of integer matrices in the dtype that was asked for."""
    if not (a.dtype.is_integer and b.dtype.is_integer):
        return NotImplemented
    product = tf.linalg.matmul(
        tf.cast(a, tf.float32), tf.cast(b, tf.float32), adjoint_a=op.get_attr("adj_x"), adjoint_b=op.get_attr("adj_y")
    )
    return tf.cast(product, op.outputs[0].dtype)


@lowers_op("MatMul", priority=1)
def matmul(op: Any, a: Any, b: Any) -> Any:
    """Return the product of two integer matrices; other ones keep the builtin op."""
    if not a.dtype.is_integer:
        return NotImplemented
    product = tf.linalg.matmul(
        tf.cast(a, tf.float32),
        tf.cast(b, tf.float32),
        transpose_a=op.get_attr("transpose_a"),
        transpose_b=op.get_attr("transpose_b"),
    )
    return tf.cast(product, op.outputs[0].dtype)
