"""Categories as vectors: one-hot, multi-hot, counts.

Each category is compared with 0, 1, 2, …: Equal and Cast. The op OneHot is not used: it counts negative categories from the
end, where Keras sets nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.static import known, known_int
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.lowerings.array.reshaping import unsqueezed
from exporter.formats.onnx.lowerings.math.reduction import reduced
from exporter.formats.onnx.registry import lowers_function, lowers_op


@lowers_op("OneHot")
def one_hot(g: Graph, op: Any, categories: Value, depth: Value, on: Value, off: Value) -> Value:
    """Return on at the category along a new axis, off elsewhere, and everywhere for categories out of range."""
    axis = op.get_attr("axis") % (categories.rank + 1)
    count = known_int(depth, "the number of categories")
    classes = np.arange(count).reshape(-1, *[1] * (categories.rank - axis)).astype(categories.numpy_dtype)
    equal = g.op("Equal", unsqueezed(g, g.keras_order(categories), axis), classes)
    values = (known(on, "the value of a category"), known(off, "the value of other categories"))
    if on.is_float and [v.item() for v in values] == [1, 0]:
        return g.cast(equal, on.dtype)
    return g.op("Where", equal, on, off, shape=equal.shape, dtype=on.dtype)


def _dense(inputs: Any, output_mode: str, depth: Any, dtype: Any = None, sparse: bool = False, **_: Any) -> bool:
    return not sparse and output_mode in ("multi_hot", "count")


@lowers_function("keras.src.utils.tf_utils.tf_encode_categorical_inputs", when=_dense)
def encoded(
    g: Graph,
    inputs: Value,
    output_mode: str,
    depth: int,
    dtype: str = "float32",
    sparse: bool = False,
    count_weights: Value | None = None,
) -> Value:
    """(n,) or (batch, n) categories to (depth,) or (batch, depth): which of them occur, or how often, or their weights."""
    classes = np.arange(int(depth)).astype(inputs.numpy_dtype)
    last = inputs.rank - 1
    wanted = ir.DataType.DOUBLE if dtype == "float64" else ir.DataType.FLOAT
    equal = g.cast(g.op("Equal", unsqueezed(g, g.keras_order(inputs), inputs.rank), classes), wanted)
    if count_weights is not None:
        equal = g.op("Mul", equal, unsqueezed(g, g.cast(g.keras_order(count_weights), wanted), inputs.rank))
    result = reduced(g, "ReduceMax" if output_mode == "multi_hot" else "ReduceSum", equal, [last], False)
    return g.cast(result, ir.DataType.from_numpy(np.dtype(dtype))) if np.dtype(dtype).kind in "iu" else result
