"""Lookup tables, Discretization, and what ONNX has no op for: the splitting of text.

StringLookup and IntegerLookup look up in a table of TensorFlow: the op LabelEncoder of ai.onnx.ml, which ONNX Runtime has.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.static import known
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.registry import lowers_op

KINDS = {ir.DataType.STRING: "strings", ir.DataType.INT64: "int64s", ir.DataType.FLOAT: "floats"}


@lowers_op("LookupTableFindV2", "LookupTableFind")
def find(g: Graph, op: Any, table: Any, keys: Value, default: Value) -> Value:
    """The value of each key in the table, which is read now, and the default for unknown ones."""
    found_keys, found_values = _contents(op, table.resource)
    key_type, value_type = _encodable(keys.dtype), _encodable(default.dtype)
    attributes = {
        f"keys_{KINDS[key_type]}": _listed(found_keys),
        f"values_{KINDS[value_type]}": _listed(found_values),
        f"default_{KINDS[value_type].removesuffix('s')}": _listed(known(default, "the default of a lookup"))[0],
    }
    x = g.cast(keys, key_type)
    return g.op("LabelEncoder", x, shape=keys.shape, dtype=value_type, domain="ai.onnx.ml", **attributes)


@lowers_op("LookupTableSizeV2", "LookupTableSize")
def size(g: Graph, op: Any, table: Any) -> Value:
    """The number of entries, which is read now."""
    import tensorflow as tf

    with tf.init_scope():
        return g.constant(tf.raw_ops.LookupTableSizeV2(table_handle=table.resource).numpy())


def _contents(op: Any, handle: Any) -> tuple[np.ndarray, np.ndarray]:
    import tensorflow as tf

    with tf.init_scope():
        keys, values = tf.raw_ops.LookupTableExportV2(
            table_handle=handle, Tkeys=op.get_attr("Tin"), Tvalues=op.get_attr("Tout")
        )
    order = np.argsort(values.numpy(), kind="stable")  # the table has an order of its own, which may change
    return keys.numpy()[order], values.numpy()[order]


def _encodable(dtype: ir.DataType) -> ir.DataType:
    return dtype if dtype in KINDS else ir.DataType.INT64


def _listed(array: np.ndarray) -> list[Any]:
    return [n.decode() if isinstance(n, bytes) else n.item() if isinstance(n, np.generic) else n for n in array.flat]


@lowers_op("Bucketize")
def bucketize(g: Graph, op: Any, x: Value) -> Value:
    """How many boundaries do not exceed x; all of them for NaN: the sum of not (x < boundary) over the boundaries."""
    wide = x if x.dtype == ir.DataType.DOUBLE else g.cast(x, ir.DataType.FLOAT)
    boundaries = np.asarray(op.get_attr("boundaries"), np.float32).astype(wide.numpy_dtype)
    below = g.op("Less", unsqueezed(g, wide, x.rank), boundaries)
    counted = g.cast(g.op("Not", below), ir.DataType.INT32)
    return g.op("ReduceSum", counted, g.constant([x.rank], np.int64), shape=x.shape, keepdims=0)


@lowers_op("StaticRegexReplace", "RegexReplace", "StringSplitV2", "StringSplit", "UnicodeDecode", "StringNGrams")
def text(g: Graph, op: Any, *_: Any) -> NoReturn:
    """Refuse: text is split before the model."""
    raise NotImplementedError(
        "ONNX Runtime does not split text as TensorFlow does; run TextVectorization before the model, "
        "and export the model that takes its integers"
    )
