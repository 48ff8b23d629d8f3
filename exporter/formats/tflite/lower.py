"""Replace TensorFlow ops in a traced graph by compositions of builtin ops, wherever they come from.

Keras's functions, its losses, and users' own TensorFlow code all end as ops in the graph; the replacement of an op type
(`lowers_op`) reaches all of them, also inside loops and branches. The same pass turns narrow and double floats into
float32, which TFLite's kernels compute in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from exporter.formats.tflite.lowerings.math.complex_numbers import STRUCTURAL, Pair, structural
from exporter.formats.tflite.passes.constant_folding import Folded
from exporter.formats.tflite.passes.external_weights import ExternalWeights, emitted
from exporter.formats.tflite.registry import ASSIGNMENTS, op_lowerings
from exporter.tfgraph.precision import TO_SINGLE
from exporter.tfgraph.rewriter import Replay, definition

CALLS = ("PartitionedCall", "StatefulPartitionedCall")

CASES = ("Case", "StatelessCase")


def rewritten(concrete: Any, external: ExternalWeights, written_as: Mapping[str, str]) -> Callable[..., list[Any]]:
    """Return a function of flat tensors that emits `concrete` with its ops lowered, in float32.

    Inputs may be of any dtype; outputs keep theirs but for those in `written_as`. Behind the model's own inputs it takes the
    weights that are to stay external.
    """
    lowerings = op_lowerings()

    def function(*tensors: Any) -> list[Any]:
        source = concrete.graph
        held = {id(weight.variable) for weight in external.weights}
        for variable in source.variables:
            if id(variable) not in held:
                tf.compat.v1.get_default_graph().watch_variable(variable)
        own = len(tensors) - len(external.weights)
        folded = Folded.of(concrete, lowerings, external.uses)
        rewriter = _Lowering(TO_SINGLE, lowerings, source, external, tensors[own:], folded)
        outputs, _ = rewriter.replay(source, [*tensors[:own], *concrete.captured_inputs])
        joined = [o.joined() if isinstance(o, Pair) else o for o in outputs]
        dtypes = [written_as.get(old.dtype.name, old.dtype) for old in concrete.outputs]
        return [tf.cast(new, dtype) for new, dtype in zip(joined, dtypes, strict=True)]

    return function


class UnwritableError(Exception):
    """A lowering cannot write an op for its shapes and values.

    Args:
        op: the name of the op in the traced graph.
        kind: its type.
        reason: what TensorFlow says.
    """

    def __init__(self, op: str, kind: str, reason: str) -> None:
        super().__init__(op, kind, reason)
        self.op, self.kind, self.reason = op, kind, reason


class _Lowering(Replay):
    """Replays a graph, calling the lowering of each op that has one."""

    def __init__(
        self,
        mapping: Mapping[str, str],
        lowerings: Mapping[str, Sequence[Any]],
        source: Any,
        external: ExternalWeights,
        weights: Sequence[Any],
        folded: Folded,
    ) -> None:
        super().__init__(mapping)
        self._lowerings = lowerings
        self._source, self._external, self._weights = source, external, weights
        self._folded = folded

    def emit(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        """Emit the lowering of an op, or the op itself where there is none or it declines."""
        if op.type in ASSIGNMENTS:
            return tf.no_op(), []
        if op.graph is self._source and op.name in self._external.left_out | self._folded.left_out:
            return tf.no_op(), [None] * len(op.outputs)
        if op.graph is self._source and op.outputs and all(t.name in self._folded.values for t in op.outputs):
            constants = [self._constant(self._folded.values[tensor.name]) for tensor in op.outputs]
            return constants[0].op, constants
        outputs = self._lowered(op, inputs)
        if outputs is NotImplemented:
            return super().emit(op, [i.joined() if isinstance(i, Pair) else i for i in inputs])
        outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        if not outputs:
            return tf.no_op(), []
        outputs = [tf.identity(o) if any(o is i for i in inputs) and not isinstance(o, Pair) else o for o in outputs]
        for old, new in zip(op.outputs, outputs, strict=True):
            new.set_shape(old.shape)
        return outputs[0].op, outputs

    def attribute(self, op: Any, value: Any) -> Any:
        """Copy an attribute; a double constant stays finite, and does not become zero, in single precision."""
        copy = super().attribute(op, value)
        if value.WhichOneof("value") == "tensor" and value.tensor.dtype == tf.float64.as_datatype_enum:
            single = np.finfo("float32")
            array = tf.make_ndarray(value.tensor)
            size = np.where(np.isfinite(array) & (array != 0), np.clip(abs(array), single.tiny, single.max), abs(array))
            copy.tensor.CopyFrom(tf.make_tensor_proto(np.copysign(size, array).astype("float32")))
        return copy

    def _constant(self, value: Any) -> Any:
        """Return a constant in the dtype that the graph is rewritten to."""
        return tf.constant(value.numpy(), tf.as_dtype(self._mapped(value.dtype.as_datatype_enum)))

    def _lowered(self, op: Any, inputs: list[Any]) -> Any:
        if op.graph is self._source and op.name in self._external.uses:
            x = next(i for i in inputs if i is not None)
            with tf.name_scope(f"{op.name}/"):
                return emitted(op, x, self._weights[self._external.uses[op.name]])
        if op.type in CALLS:
            return self._inlined(op, op.get_attr("f").name, inputs)
        if op.type in CASES:
            return self._chosen(op, inputs[0], inputs[1:])
        if op.type in STRUCTURAL and any(isinstance(i, Pair) for i in inputs):
            return structural(op, inputs)
        for lowering in self._lowerings.get(op.type, ()):
            with tf.name_scope(f"{op.name}/"):
                outputs = _written(lowering, op, inputs)
            if outputs is not NotImplemented:
                return outputs
        return NotImplemented

    def _inlined(self, op: Any, name: str, inputs: list[Any]) -> list[Any]:
        """Emit the body of the function `name` in place of a call."""
        from tensorflow.python.framework import function_def_to_graph

        with op.graph.as_default():
            body = function_def_to_graph.function_def_to_graph(definition(op.graph, name))
        with tf.name_scope(f"{op.name}/"):
            outputs, _ = self.replay(body, inputs)
        return outputs

    def _chosen(self, op: Any, index: Any, inputs: list[Any]) -> list[Any]:
        """Emit the choice among several functions as choices between two; an index out of range takes the last."""
        names = [branch.name for branch in op.get_attr("branches")]

        def choose(first: int) -> Any:
            if first == len(names) - 1:
                return self._inlined(op, names[first], inputs)
            return tf.cond(
                tf.equal(index, first), lambda: self._inlined(op, names[first], inputs), lambda: choose(first + 1)
            )

        return choose(0)


def _written(lowering: Any, op: Any, inputs: list[Any]) -> Any:
    """Return what a lowering writes.

    Raises:
        UnwritableError: in place of what TensorFlow raises about the shapes.
    """
    try:
        return lowering(op, *inputs)
    except (AssertionError, IndexError, TypeError, ValueError, tf.errors.OpError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(" for '{{node")[0]
        raise UnwritableError(op.name, op.type, reason) from error
