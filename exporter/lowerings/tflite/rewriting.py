"""Replace TensorFlow ops in a traced graph by compositions of builtin ops, wherever they come from.

Keras's functions, its losses, and users' own TensorFlow code all end as ops in the graph; the replacement of an op type
(`lowers_op`) reaches all of them, also inside loops and branches. The same pass turns narrow and double floats into
float32, which TFLite's kernels compute in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from exporter.lowerings.tflite import op_lowerings
from exporter.precision import SINGLE, _Rewriter

TO_SINGLE: Mapping[str, str] = {**SINGLE, "float64": "float32", "complex128": "complex64"}


def rewritten(concrete: Any) -> Any:
    """Return a function of flat tensors that emits `concrete`, its ops lowered, in float32; None if nothing changes.

    Outputs keep their dtypes.
    """
    lowerings = op_lowerings()
    types = set(_op_types(concrete.graph))
    narrow = any(dtype in TO_SINGLE for dtype in _dtypes(concrete.graph))
    if not narrow and not types & set(lowerings):
        return None
    rewriter = _Lowering(TO_SINGLE if narrow else {}, lowerings)

    def function(*tensors: Any) -> list[Any]:
        source = concrete.graph
        for variable in source.variables:
            tf.compat.v1.get_default_graph().watch_variable(variable)
        outputs, _ = rewriter.replay(source, [*tensors, *concrete.captured_inputs])
        return [tf.cast(new, old.dtype) for new, old in zip(outputs, concrete.outputs, strict=True)]

    return function


class _Lowering(_Rewriter):
    """Replays a graph, calling the lowering of each op that has one."""

    def __init__(self, mapping: Mapping[str, str], lowerings: Mapping[str, Any]) -> None:
        super().__init__(mapping)
        self._lowerings = lowerings

    def _emit(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        """Emit the lowering of an op, or the op itself where there is none or it declines."""
        lowering = self._lowerings.get(op.type)
        if lowering is None:
            return super()._emit(op, inputs)
        with tf.name_scope(f"{op.name}/"):
            outputs = lowering(op, *inputs)
        if outputs is NotImplemented:
            return super()._emit(op, inputs)
        outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        outputs = [tf.identity(o) if any(o is i for i in inputs) else o for o in outputs]
        for old, new in zip(op.outputs, outputs, strict=True):
            new.set_shape(old.shape)
        return outputs[0].op, outputs


def _op_types(graph: Any) -> Iterator[str]:
    """Yield the type of every op in a graph and in the functions that it calls."""
    yield from (op.type for op in graph.get_operations())
    for function in _library(graph):
        yield from (node.op for node in function.node_def)


def _dtypes(graph: Any) -> Iterator[str]:
    """Yield the dtype of every result in a graph, and every dtype that the functions in it mention."""
    for op in graph.get_operations():
        yield from (t.dtype.name for t in op.outputs)
    for function in _library(graph):
        for node in function.node_def:
            for value in node.attr.values():
                yield from (tf.as_dtype(t).name for t in (value.type, *value.list.type) if t)


def _library(graph: Any) -> Iterator[Any]:
    """Yield the definitions of the functions in a graph's library."""
    for function in graph._functions.values():
        yield function.cached_definition
