"""Slices are taken before what works row by row: of a classifier that reads x[:, 0], the last block computes one row.

    (f(x) W + b)[:, i] = f(x[:, i]) W + b,   attention(q, k, v)[:, i] = attention(q[:, i], k, v)

A slice along one axis moves up past products, softmax, elementwise ops, reductions along other axes, reshapes and
transpositions, as far as nothing else takes what they compute. Of a transformer's last block only keys and values stay
whole. It moves where it makes a product smaller, and takes half of the axis at most: else copies cost more than is spared.

Measured on ai-edge-litert 2.3, batch 1: the last block of a transformer with 128x512 numbers 3.8x, 197x192 5.0x, 512x256
6.2x; BERT-small of four blocks 1.2x. `benchmarks/tflite_forms.py`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import tensorflow as tf

from exporter.tfgraph.rewriter import Replay

PRODUCTS = frozenset({"MatMul", "BatchMatMulV2", "Einsum"})


@dataclass(frozen=True)
class SliceSpec:
    """The entries of a tensor from `first` on, `count` of them, along `axis`."""

    axis: int
    first: int
    count: int

    def of(self, tensor: Any) -> Any:
        """Return these entries; the axis stays."""
        return tensor[(slice(None),) * self.axis + (slice(self.first, self.first + self.count),)]


@dataclass(frozen=True)
class Partial:
    """What an op takes of its inputs (None: the whole), and what it then computes of its result."""

    inputs: Sequence[SliceSpec | None]
    result: SliceSpec


Plan = Mapping[str, Partial]  # by the name of the op
Rule = Callable[[Any, int], Sequence[int | None] | None]

RULES: dict[str, Rule] = {}


def passes(*types: str) -> Callable[[Rule], Rule]:
    """Enter a rule for types of ops: it takes an op and an axis of its result.

    It returns which axis of each input has the same entries, None for an input that is taken whole; or None as a whole, if
    an entry of the result depends on others of the inputs.
    """

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(types, rule))
        return rule

    return enter


def plan_of(graph: Any) -> Plan:
    """Return the ops that are to compute a part only, and the slices themselves. Empty if no product becomes smaller."""
    plan: dict[str, Partial] = {}
    outputs = {t.name for t in graph.outputs}
    spared = False
    for op in reversed(graph.get_operations()):
        if (cut := _cut_by(op)) is not None:
            plan[op.name] = Partial([cut, None, None, None], cut)
        elif op.type in RULES and op.outputs[0].name not in outputs:
            wanted = _wanted(op.outputs[0], plan)
            axes = RULES[op.type](op, wanted.axis) if wanted is not None else None
            if wanted is not None and axes is not None:
                inputs = [None if axis is None else replace(wanted, axis=axis) for axis in axes]
                plan[op.name] = Partial(inputs, wanted)
                spared = spared or op.type in PRODUCTS
    return plan if spared else {}


def narrowed(concrete: Any, plan: Plan) -> Callable[..., list[Any]]:
    """Return a function of flat tensors that emits a ConcreteFunction with its slices taken as early as planned."""

    def function(*tensors: Any) -> list[Any]:
        for variable in concrete.graph.variables:
            tf.compat.v1.get_default_graph().watch_variable(variable)
        return _SlicePropagation(concrete.graph, plan).replay(concrete.graph, [*tensors, *concrete.captured_inputs])[0]

    return function


class _SlicePropagation(Replay):
    """Replays a graph, computing parts of the tensors of which only parts are taken."""

    def __init__(self, source: Any, plan: Plan) -> None:
        super().__init__({})
        self._source, self._plan = source, plan
        self._parts: dict[tuple[str, SliceSpec], Any] = {}

    def emit(self, op: Any, inputs: list[Any]) -> tuple[Any, list[Any]]:
        if op.graph is not self._source or op.name not in self._plan:
            return super().emit(op, inputs)
        part = self._plan[op.name]
        taken = [
            new if cut is None else self._taken(old, new, cut)
            for old, new, cut in zip(op.inputs, inputs, part.inputs, strict=True)
        ]
        if op.type == "StridedSlice":
            result = tf.squeeze(taken[0], [part.result.axis]) if op.get_attr("shrink_axis_mask") else taken[0]
            return result.op, [result]
        if op.type == "Reshape":
            sizes = op.outputs[0].shape.as_list()
            sizes[part.result.axis] = part.result.count
            taken[1] = tf.constant(sizes, taken[1].dtype)
        graph = tf.compat.v1.get_default_graph()
        attrs = {attribute.name: op.node_def.attr[attribute.name] for attribute in op.op_def.attr}
        image = graph.create_op(op.type, taken, name=op.name, attrs=attrs)
        return image, list(image.outputs)

    def _taken(self, old: Any, new: Any, cut: SliceSpec) -> Any:
        """Return a part of an input: of a whole one its entries, a partial one is that part already."""
        if old.op.type != "StridedSlice" and old.op.name in self._plan:
            return new
        if (old.name, cut) not in self._parts:
            self._parts[old.name, cut] = cut.of(new)
        return self._parts[old.name, cut]


def _wanted(tensor: Any, plan: Plan) -> SliceSpec | None:
    """Return the part that everything takes that takes a tensor; None if it is needed whole."""
    cuts = {
        plan[op.name].inputs[index] if op.name in plan else None
        for op in tensor.consumers()
        for index, taken in enumerate(op.inputs)
        if taken is tensor
    }
    return cuts.pop() if len(cuts) == 1 else None


def _cut_by(op: Any) -> SliceSpec | None:
    """Return what a slice takes, if it cuts along one axis of known size only, and takes half of it at most."""
    if op.type != "StridedSlice" or op.get_attr("new_axis_mask") or op.get_attr("ellipsis_mask"):
        return None
    shape, limits = op.inputs[0].shape, [tf.get_static_value(i) for i in op.inputs[1:]]
    if shape.rank is None or any(limit is None for limit in limits):
        return None
    masks = [op.get_attr(name) for name in ("begin_mask", "end_mask", "shrink_axis_mask")]
    cuts = []
    for axis, (begin, end, stride) in enumerate(zip(*(limit.tolist() for limit in limits), strict=True)):
        no_begin, no_end, one = (mask >> axis & 1 for mask in masks)
        if no_begin and no_end and stride == 1 and not one:
            continue
        if shape[axis] is None or stride != 1:
            return None
        bounds = (begin, begin + 1 or None) if one else (None if no_begin else begin, None if no_end else end)
        first, stop, _ = slice(*bounds).indices(shape[axis])
        cuts.append(SliceSpec(axis, first, stop - first))
    return cuts[0] if len(cuts) == 1 and 0 < 2 * cuts[0].count <= shape[cuts[0].axis] else None


@passes(
    *("Abs", "Add", "AddV2", "Cast", "Div", "DivNoNan", "Elu", "Equal", "Erf", "Erfc", "Exp", "Expm1", "Greater"),
    *(
        "GreaterEqual",
        "Identity",
        "LeakyRelu",
        "Less",
        "LessEqual",
        "Log",
        "Log1p",
        "LogicalAnd",
        "LogicalNot",
        "LogicalOr",
    ),
    *(
        "Maximum",
        "Minimum",
        "Mul",
        "Neg",
        "NotEqual",
        "Pow",
        "RealDiv",
        "Reciprocal",
        "Relu",
        "Relu6",
        "Rsqrt",
        "SelectV2",
    ),
    *("Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Square", "SquaredDifference", "StopGradient", "Sub", "Tanh"),
)
def elementwise(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass by ops with broadcasting; what is repeated along the axis is taken whole."""
    shape, axes = op.outputs[0].shape, []
    for tensor in op.inputs:
        if tensor.shape.rank is None:
            return None
        own = axis - shape.rank + tensor.shape.rank
        if own >= 0 and tensor.shape[own] not in (1, shape[axis]):
            return None
        axes.append(None if own < 0 or tensor.shape[own] == 1 else own)
    return axes


@passes("BiasAdd")
def bias(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass along every axis but the channels."""
    channels_last = op.get_attr("data_format") == b"NHWC"
    return [axis, None] if channels_last and axis != op.outputs[0].shape.rank - 1 else None


@passes("Mean", "Sum", "Max", "Min", "Prod")
def reduction(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass along the axes that are not reduced."""
    reduced, rank = tf.get_static_value(op.inputs[1]), op.inputs[0].shape.rank
    if reduced is None or rank is None:
        return None
    gone = {int(a) % rank for a in reduced.reshape(-1)}
    left = [a for a in range(rank) if op.get_attr("keep_dims") or a not in gone]
    return [left[axis], None] if left[axis] not in gone else None


@passes("Softmax", "LogSoftmax")
def softmax(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass along every axis but the last."""
    return [axis] if axis != op.outputs[0].shape.rank - 1 else None


@passes("MatMul", "BatchMatMulV2")
def product(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass along the rows of the first factor, and the columns of the second if that is one matrix for each of the first."""
    rank = op.outputs[0].shape.rank
    first, second = (tensor.shape.rank for tensor in op.inputs)
    turned = [
        op.get_attr(name) for name in (("transpose_a", "transpose_b") if op.type == "MatMul" else ("adj_x", "adj_y"))
    ]
    if axis == rank - 2 and first == rank:
        return [rank - 1 if turned[0] else rank - 2, None]
    if axis == rank - 1 and second == rank > 2:
        return [None, rank - 2 if turned[1] else rank - 1]
    return None


@passes("Einsum")
def einsum(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass along an index of the result, in the factors that have it."""
    terms, result = op.get_attr("equation").decode().split("->")
    terms = terms.split(",")
    if "." in result or any("." in t or len(set(t)) < len(t) for t in terms):
        return None
    return [t.index(result[axis]) if result[axis] in t else None for t in terms]


@passes("Reshape")
def reshape(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass along an axis that stays one, with as many entries before it as there were."""
    old, new = op.inputs[0].shape, op.outputs[0].shape
    if not (old.is_fully_defined() and new.is_fully_defined()):
        return None
    before = prod(new[:axis])
    same = [a for a, size in enumerate(old) if size == new[axis] and prod(old[:a]) == before]
    return [same[0], None] if same else None


@passes("Transpose")
def transpose(op: Any, axis: int) -> Sequence[int | None] | None:
    """Pass along any axis."""
    order = tf.get_static_value(op.inputs[1])
    return None if order is None else [int(order[axis]), None]
