"""Which ops work row by row: an entry of their result along some axis needs that entry of their inputs, and no other.

A rule takes a node, an axis of its result and what tells shapes. It returns which axis of each input has the same entries,
None for an input that is taken whole; or None as a whole, if an entry of the result depends on others of the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import onnx_ir as ir

Shape = Sequence[int | None]
Shapes = Callable[[ir.Value | None], Shape | None]
Axes = list[int | None]
Rule = Callable[[ir.Node, int, Shapes], Axes | None]

RULES: dict[str, Rule] = {}


def passes(*kinds: str) -> Callable[[Rule], Rule]:
    """Enter a rule for types of ops."""

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, rule))
        return rule

    return enter


ELEMENTWISE = """
    Abs Add And Cast Ceil Celu Clip Cos Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish
    Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Min Mish Mul Neg Not Or Pow Reciprocal Relu Round Selu Shrink
    Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Tanh ThresholdedRelu Where Xor
"""


@passes(*ELEMENTWISE.split())
def elementwise(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass with broadcasting; what is repeated along the axis is taken whole."""
    result, axes = shapes(node.outputs[0]), Axes()
    if result is None:
        return None
    for value in node.inputs:
        shape = () if value is None else shapes(value)
        if shape is None:
            return None
        own = axis - len(result) + len(shape)
        if own >= 0 and shape[own] not in (1, result[axis]):
            return None
        axes.append(None if own < 0 or shape[own] == 1 else own)
    return axes


@passes("LayerNormalization", "RMSNormalization")
def normalization(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along the axes before the rows."""
    shape = shapes(node.outputs[0])
    if shape is None or axis >= node.attributes.get_int("axis", -1) % len(shape):
        return None
    return _first(node, axis)


@passes("Softmax", "LogSoftmax")
def softmax(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along every axis but its own."""
    shape = shapes(node.outputs[0])
    return [axis] if shape is not None and axis != node.attributes.get_int("axis", -1) % len(shape) else None


@passes("MatMul")
def product(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along the rows of the first factor, and along the columns of the second if it is computed."""
    first, second, result = (shapes(value) for value in (*node.inputs, *node.outputs))
    if first is None or second is None or result is None:
        return None
    if axis == len(result) - 2 and len(first) == len(result):
        return [axis, None]
    computed = node.inputs[1] is not None and node.inputs[1].const_value is None
    return [None, axis] if axis == len(result) - 1 and len(second) == len(result) and computed else None


@passes("Conv")
def pointwise_convolution(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along the image, if the kernel has one element and no step leaves anything out."""
    kernel = shapes(node.inputs[1])
    moves = [*node.attributes.get_ints("strides", []), *(p + 1 for p in node.attributes.get_ints("pads", []))]
    if axis < 2 or kernel is None or any(k != 1 for k in kernel[2:]) or any(m != 1 for m in moves):
        return None
    return _first(node, axis)


@passes("Transpose")
def transpose(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along any axis."""
    return [node.attributes["perm"].as_ints()[axis]] if "perm" in node.attributes else None


@passes("Unsqueeze")
def unsqueeze(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along the axes that were there before."""
    result = shapes(node.outputs[0])
    added = _ints(node.inputs[1])
    if result is None or added is None:
        return None
    kept = [a for a in range(len(result)) if a not in {i % len(result) for i in added}]
    return [kept.index(axis), None] if axis in kept else None


@passes("Squeeze")
def squeeze(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along the axes that stay."""
    shape = shapes(node.inputs[0])
    removed = _ints(node.inputs[1]) if len(node.inputs) > 1 else None
    if shape is None or removed is None:
        return None
    kept = [a for a in range(len(shape)) if a not in {i % len(shape) for i in removed}]
    return [kept[axis], None]


@passes("Reshape")
def reshape(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along an axis that stays one, with as many entries before it as there were, if the new shape is constant."""
    old, new, target = shapes(node.inputs[0]), shapes(node.outputs[0]), _ints(node.inputs[1])
    if old is None or new is None or target is None:
        return None
    for own in range(len(old)):
        if _same(old[: own + 1], new[: axis + 1], target) and None not in (*old[own + 1 :], *new[axis + 1 :]):
            return [own, None]
    return None


def _same(old: Shape, new: Shape, target: Sequence[int]) -> bool:
    """Whether two shapes that end in the same axis are of one size: equal, or of known sizes."""
    if old[-1] != new[-1]:
        return False
    if None in (*old, *new):
        return len(old) == len(new) and all(
            a == b and (a is not None or t == 0) for a, b, t in zip(old, new, target, strict=False)
        )
    return math.prod(d or 0 for d in old) == math.prod(d or 0 for d in new)


@passes("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin")
def reduction(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along the axes that are not reduced."""
    shape = shapes(node.inputs[0])
    reduced = _ints(node.inputs[1]) if len(node.inputs) > 1 else None
    if shape is None or reduced is None:
        return None
    gone = {a % len(shape) for a in reduced}
    left = [a for a in range(len(shape)) if node.attributes.get_int("keepdims", 1) or a not in gone]
    return [left[axis], None] if left[axis] not in gone else None


@passes("Concat")
def concatenation(node: ir.Node, axis: int, shapes: Shapes) -> Axes | None:
    """Pass along every axis but its own."""
    shape = shapes(node.outputs[0])
    if shape is None or axis == node.attributes["axis"].as_int() % len(shape):
        return None
    return [axis] * len(node.inputs)


def _first(node: ir.Node, axis: int) -> Axes:
    return [axis, *[None] * (len(node.inputs) - 1)]


def _ints(value: ir.Value | None) -> list[int] | None:
    """Return the integers that a constant holds; None if it is computed."""
    if value is None or value.const_value is None:
        return None
    return [int(i) for i in value.const_value.numpy().reshape(-1)]
