"""`keras.ops.repeat` by a fixed number along an axis: Unsqueeze, Expand, Reshape. Grouped-query attention uses it."""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.lowerings.onnx.graph import Graph
from exporter.lowerings.onnx.registry import lowers_function
from exporter.lowerings.onnx.sizes import joined
from exporter.lowerings.onnx.value import Value


def _fixed(x: Any, repeats: Any, axis: int | None = None) -> bool:
    return isinstance(repeats, int) and axis is not None and x.shape[axis] is not None


@lowers_function("numpy.repeat", when=_fixed)
def repeat(g: Graph, x: Value, repeats: int, axis: int) -> Value:
    """Repeat each element along `axis`, one beside the other."""
    axis %= x.rank
    size = (x.shape[axis] or 0) * repeats
    apart = (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :])
    y = g.op("Unsqueeze", x, g.constant([axis + 1], np.int64), shape=apart)
    times = [repeats if a == axis + 1 else 1 for a in range(y.rank)]
    spread = (*apart[: axis + 1], repeats, *apart[axis + 2 :])
    y = g.op("Expand", y, g.constant(times, np.int64), shape=spread)
    shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
    return g.op("Reshape", y, _target(g, x, shape, axis), shape=shape)


def _target(g: Graph, x: Value, shape: tuple[int | None, ...], axis: int) -> Value:
    """Return the shape as a constant where it can be: 0 keeps a dimension before `axis`, -1 works one out."""
    target = [0 if d is None and a < axis else -1 if d is None else d for a, d in enumerate(shape)]
    if target.count(-1) <= 1 and not (-1 in target and 0 in target):
        return g.constant(target, np.int64)
    return joined(g, [g.constant([d], np.int64) if d is not None else g.dimension(x, a) for a, d in enumerate(shape)])
