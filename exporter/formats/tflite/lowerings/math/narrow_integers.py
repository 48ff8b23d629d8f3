"""Arithmetic of integers of 8 and 16 bits, and of 32 without a sign, in wider ones.

The kernels for the narrow types are for quantized numbers. A sum or product that overflows is cut to the same bits in both.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.lowerings.math.long_integers import floor_divided
from exporter.formats.tflite.registry import lowers_op

WIDER = {
    tf.int8: tf.int32,
    tf.uint8: tf.int32,
    tf.int16: tf.int32,
    tf.uint16: tf.int32,
    tf.uint32: tf.int64,
}


@lowers_op(
    *("Abs", "Add", "AddV2", "BiasAdd", "FloorDiv", "FloorMod", "Greater", "GreaterEqual", "Less", "LessEqual", "Max"),
    *("Maximum", "Min", "Minimum", "Mul", "Neg", "Prod", "Relu", "ReverseV2", "Select", "SelectV2", "Sign", "Square"),
    *("Sub", "Sum"),
    priority=-1,
)
def widened(op: Any, *inputs: Any) -> Any:
    """Return what the op computes from wider integers, cut to the narrow ones."""
    narrow = tf.as_dtype(op.get_attr("T"))
    if narrow not in WIDER:
        return NotImplemented
    attributes = {name: value for name, value in op.node_def.attr.items() if not name.startswith("_")}
    copy = type(attributes["T"])()
    copy.type = WIDER[narrow].as_datatype_enum
    wide = [tf.cast(x, WIDER[narrow]) if x.dtype == narrow else x for x in inputs]
    if op.type == "FloorDiv" and WIDER[narrow] == tf.int64:
        return tf.cast(floor_divided(*wide), narrow)
    graph = tf.compat.v1.get_default_graph()
    (result,) = graph.create_op(op.type, wide, name=f"{op.name}_wide", attrs={**attributes, "T": copy}).outputs
    return tf.cast(result, op.outputs[0].dtype)
