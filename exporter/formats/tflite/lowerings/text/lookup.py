"""Lookup tables with a fixed vocabulary: every key compared with every entry, by EQUAL, which knows strings too.

A table is a resource with an initialiser of its own; a file of builtin ops has neither. The vocabulary becomes constants.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("LookupTableFindV2")
def find(op: Any, table: Any, keys: Any, default: Any) -> Any:
    """Return the value of each key, or the default where it is not in the table."""
    if not hasattr(table, "numpy"):  # inside a loop the table is a parameter
        return NotImplemented
    with tf.init_scope():
        entries, values = tf.raw_ops.LookupTableExportV2(
            table_handle=table, Tkeys=op.get_attr("Tin"), Tvalues=op.get_attr("Tout")
        )
        order = tf.argsort(entries) if entries.dtype != tf.string else tf.range(tf.size(entries))
        entries, values = tf.gather(entries, order).numpy(), tf.gather(values, order).numpy()
    fallback = tf.get_static_value(default)
    if fallback is None or not len(entries):
        return NotImplemented if len(entries) else tf.fill(tf.shape(keys), default)
    same = tf.equal(tf.expand_dims(keys, -1), tf.constant(entries))
    place = tf.argmax(tf.cast(same, tf.float32), axis=-1, output_type=tf.int32)
    place = tf.where(tf.reduce_any(same, axis=-1), place + 1, 0)
    return tf.gather(tf.constant([fallback, *values], dtype=op.outputs[0].dtype), place)  # SELECT knows no strings
