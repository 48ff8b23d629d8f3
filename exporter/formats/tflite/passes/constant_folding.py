"""What is computed from weights alone is computed once, when the file is written: int4 kernels are unpacked, for one.

The converter folds constants itself, but only by TFLite's kernels, few of which take small integers; and what a lowering has
written is no longer one op. So TensorFlow runs such ops, in the dtypes that Keras computes in, before they are lowered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from exporter.formats.tflite.constant_values import run_again

# Ops that mostly stay as they are, and that the converter folds: a mixed policy casts every weight.
PLAIN = frozenset(
    {
        "Abs",
        "BatchMatMulV2",
        "BiasAdd",
        "Cast",
        "Conv2D",
        "DepthwiseConv2dNative",
        "Div",
        "Einsum",
        "EnsureShape",
        "Exp",
    }
    | {
        "FloorDiv",
        "MatMul",
        "Maximum",
        "Mul",
        "RealDiv",
        "Rsqrt",
        "Select",
        "SelectV2",
        "Sign",
        "Softmax",
        "StopGradient",
    }
    | {"StridedSlice", "Unpack"}
)
GROWTH = 16  # how many times as large as the weights a result may be; unpacking int4 into float32 takes 8


@dataclass
class Folded:
    """The tensors of a traced function that weights alone determine, and that an op with a lowering has to do with.

    Attributes:
        values: of the tensors that other ops take, by name.
        left_out: names of the ops that only serve to compute them.
    """

    values: dict[str, Any] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, concrete: Any, lowered: Collection[str], kept: Collection[str]) -> Folded:
        """Find and compute them; `lowered` are types of ops that have a lowering, `kept` names of ops to leave as they are."""
        search = _Search(concrete, lowered, kept)
        found = cls()
        for op in concrete.graph.get_operations():
            if search.worth(op):
                values = {tensor.name: search.value(tensor) for tensor in op.outputs}
                if all(_bytes(v) <= GROWTH * search.weights[t] for t, v in values.items()):
                    found.values.update(values)
        if found.values:
            found._leave_out(concrete.graph, search)
        return found

    def _leave_out(self, graph: Any, search: _Search) -> None:
        outputs = {tensor.name for tensor in graph.outputs}
        for op in reversed(graph.get_operations()):
            if (
                not all(tensor.name in search.weights for tensor in op.outputs)
                or not op.outputs
                or search.is_folded(op, self)
            ):
                continue
            takers = {taker for tensor in op.outputs for taker in tensor.consumers()}
            unused = all(t.name in self.left_out or search.is_folded(t, self) for t in takers)
            if unused and takers and not any(tensor.name in outputs for tensor in op.outputs):
                self.left_out.add(op.name)


class _Search:
    """Which tensors depend on weights alone.

    Attributes:
        weights: by the name of such a tensor, the bytes of the weights that it depends on; 0 for a constant.
    """

    def __init__(self, concrete: Any, lowered: Collection[str], kept: Collection[str]) -> None:
        variables = {id(v.handle): v for v in concrete.graph.variables}
        self._variables = {p.name: variables[id(h)] for h, p in concrete.graph.captures if id(h) in variables}
        self._outputs = {tensor.name for tensor in concrete.graph.outputs}
        self._lowered, self._kept = frozenset(lowered) - PLAIN, kept
        self._touched: set[str] = set()
        self._values: dict[str, Any] = {}
        self.weights: dict[str, int] = {}
        for op in concrete.graph.get_operations():
            self._enter(op)

    def worth(self, op: Any) -> bool:
        """Return whether something else takes what an op makes of weights, with an op that has a lowering on the way."""
        if not op.outputs or not all(self.weights.get(t.name) and t.name in self._touched for t in op.outputs):
            return False
        takers = [taker for tensor in op.outputs for taker in tensor.consumers()]
        shown = any(tensor.name in self._outputs for tensor in op.outputs)
        return shown or any(not self._is_known(taker) for taker in takers)

    def is_folded(self, op: Any, found: Folded) -> bool:
        """Return whether the results of an op have been computed."""
        return bool(op.outputs) and all(tensor.name in found.values for tensor in op.outputs)

    def value(self, tensor: Any) -> Any:
        """Return what a tensor is."""
        if tensor.name not in self._values:
            op = tensor.op
            with tf.init_scope():
                results = self._results(op)
            self._values.update(zip((t.name for t in op.outputs), results, strict=True))
        return self._values[tensor.name]

    def _results(self, op: Any) -> list[Any]:
        if op.type == "ReadVariableOp":
            return [tf.convert_to_tensor(self._variables[op.inputs[0].name])]
        if op.type == "Const":
            return [tf.constant(tf.get_static_value(op.outputs[0]), op.outputs[0].dtype)]
        return run_again(op, [self.value(i) for i in op.inputs])

    def _enter(self, op: Any) -> None:
        if op.type == "ReadVariableOp" and op.inputs[0].name in self._variables:
            variable = self._variables[op.inputs[0].name]
            self.weights[op.outputs[0].name] = variable.shape.num_elements() * variable.dtype.size
        elif op.type == "Const":
            self.weights[op.outputs[0].name] = 0
        elif op.inputs and op.name not in self._kept and _can_run(op):
            known = [self.weights.get(tensor.name) for tensor in op.inputs]
            if op.type == "IdentityN":  # of which each result is one input
                pairs = [(t, (i,)) for t, i in zip(op.outputs, op.inputs, strict=True)]
            else:
                pairs = [(t, tuple(op.inputs)) for t in op.outputs] if None not in known else []
            for tensor, inputs in pairs:
                self._derive(tensor, inputs, op.type)

    def _derive(self, tensor: Any, inputs: tuple[Any, ...], kind: str) -> None:
        known = [self.weights.get(i.name) for i in inputs]
        if None not in known and tensor.dtype not in (tf.resource, tf.variant, tf.string):
            self.weights[tensor.name] = sum(filter(None, known))
            if kind in self._lowered or any(i.name in self._touched for i in inputs):
                self._touched.add(tensor.name)

    def _is_known(self, op: Any) -> bool:
        return bool(op.outputs) and all(tensor.name in self.weights for tensor in op.outputs)


def _can_run(op: Any) -> bool:
    functions = any(op.node_def.attr[a.name].WhichOneof("value") == "func" for a in op.op_def.attr)
    return not op.op_def.is_stateful and not functions and hasattr(tf.raw_ops, op.type)


def _bytes(value: Any) -> int:
    return int(value.shape.num_elements() * value.dtype.size)
