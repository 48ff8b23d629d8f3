"""Ops that hand on what they are given: what they check or print is of no use on a device."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from exporter.formats.tflite.registry import lowers_op


@lowers_op("EnsureShape")
def ensured(op: Any, x: Any) -> Any:
    """Return the tensor, by RESHAPE where its shape was not known: the converter forgets what a mere name says."""
    sizes = op.outputs[0].shape
    if sizes.rank is None or None not in (x.shape.as_list() if x.shape.rank is not None else [None]):
        return x
    known = [tf.shape(x)[i] if size is None else size for i, size in enumerate(sizes)]
    return x if sizes.rank == x.shape.rank and sizes.as_list() == x.shape.as_list() else tf.reshape(x, tf.stack(known))


@lowers_op("CheckNumerics", "PreventGradient", "Snapshot", "StopGradient")
def passed_on(op: Any, x: Any) -> Any:
    """Return the tensor; its shape is known from the graph."""
    return x


@lowers_op("PrintV2", "Assert")
def nothing(op: Any, *inputs: Any) -> Any:
    """Return no tensor."""
    return []
