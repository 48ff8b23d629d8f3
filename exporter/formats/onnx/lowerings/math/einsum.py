"""Einstein sums: Transposes, one MatMul and Reshapes, or a product; ONNX's Einsum for what is left.

ONNX Runtime 1.32 takes 0.29 ms for the op Einsum and 0.12 ms for Transpose and MatMul on (1, 128, 8, 64) x (1, 128, 8, 64).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.sizes import joined
from exporter.formats.onnx.builder.value import Constant, Shape, Value
from exporter.formats.onnx.lowerings.array.reshaping import squeezed, transposed, unsqueezed
from exporter.formats.onnx.lowerings.math.reduction import reduced
from exporter.formats.onnx.registry import lowers_function, lowers_op


def _floats_alike(subscripts: str, *operands: Any, **_: Any) -> bool:
    """Whether no dtype has to be resolved: Keras computes integers as floats, and promotes mixed dtypes."""
    dtypes = {getattr(x, "dtype", None) for x in operands}
    return len(dtypes) == 1 and "float" in str(next(iter(dtypes)))


@lowers_function("numpy.einsum", when=_floats_alike)
def keras_einsum(g: Graph, subscripts: str, *operands: Any, **_: Any) -> Value:
    """Multiply and sum over the letters that the result does not have."""
    return einsum(g, subscripts, [g.value_of(x) for x in operands])


@lowers_op("Einsum")
def tf_einsum(g: Graph, op: Any, *operands: Value) -> Value:
    """Multiply and sum over the letters that the result does not have."""
    return einsum(g, op.get_attr("equation").decode(), list(operands))


def einsum(g: Graph, equation: str, operands: Sequence[Value]) -> Value:
    """Return the Einstein sum of `operands`, axes that `...` stands for included."""
    terms, result = parse(equation, [x.rank for x in operands])
    operands, terms = _unstretched(g, operands, terms)
    if len(operands) == 1 and _distinct(terms):
        return _single(g, operands[0], terms[0], result)
    if len(operands) == 2 and _distinct(terms):
        return _pair(g, list(operands), terms, result)
    return _written(g, terms, result, operands)


def parse(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result, with letters of their own in place of `...`."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    free = [chr(c) for c in range(ord("A"), ord("z")) if chr(c).isalpha() and chr(c) not in equation]
    hidden = max(
        (rank - len(t.replace("...", "")) for t, rank in zip(terms, ranks, strict=True) if "." in t), default=0
    )
    dots = "".join(free[:hidden])
    shown = [
        term.replace("...", dots[hidden - (rank - len(term) + 3) :] if "." in term else "")
        for term, rank in zip(terms, ranks, strict=True)
    ]
    if not arrow:
        once = sorted(c for c in set(left) if left.count(c) == 1 and c.isalpha())
        right = "..." * ("." in left) + "".join(once)
    return shown, right.replace("...", dots)


def _distinct(terms: Sequence[str]) -> bool:
    return all(len(set(term)) == len(term) for term in terms)


def _single(g: Graph, x: Value, term: str, result: str) -> Value:
    summed = [axis for axis, letter in enumerate(term) if letter not in result]
    kept = [letter for letter in term if letter in result]
    return transposed(reduced(g, "ReduceSum", x, summed, keepdims=False), [kept.index(letter) for letter in result])


def _pair(g: Graph, operands: list[Value], terms: list[str], result: str) -> Value:
    for n in (0, 1):  # what only one of them has, and the result has not, is summed first
        kept = "".join(c for c in terms[n] if c in result or c in terms[1 - n])
        operands[n] = _single(g, operands[n], terms[n], kept)
        terms[n] = kept
    a, b = terms
    shared = [c for c in a if c in b]
    groups = (
        [c for c in shared if c in result],
        [c for c in a if c not in b],
        [c for c in shared if c not in result],
        [c for c in b if c not in a],
    )
    multiply = _contracted if groups[2] else _multiplied
    y = multiply(g, operands, terms, groups)
    made = [*groups[0], *groups[1], *groups[3]]
    return transposed(y, [made.index(letter) for letter in result])


def _sizes(operands: Sequence[Value], terms: Sequence[str]) -> dict[str, int | None]:
    sizes: dict[str, int | None] = {}
    for x, term in zip(operands, terms, strict=True):
        for letter, d in zip(term, x.shape, strict=True):
            sizes[letter] = d if sizes.get(letter) is None else sizes[letter]
    return sizes


def _unstretched(g: Graph, operands: Sequence[Value], terms: Sequence[str]) -> tuple[list[Value], list[str]]:
    """Drop axes of size 1 that another operand has longer: MatMul stretches some only, Einsum's shapes are inferred as 1."""
    longer = {c for x, term in zip(operands, terms, strict=True) for c, d in zip(term, x.shape, strict=True) if d != 1}
    kept, left = [], []
    for x, term in zip(operands, terms, strict=True):
        axes = [axis for axis, c in enumerate(term) if x.shape[axis] == 1 and c in longer]
        kept.append(squeezed(g, x, axes))
        left.append("".join(c for axis, c in enumerate(term) if axis not in axes))
    return kept, left


Groups = tuple[list[str], list[str], list[str], list[str]]  # batch, left, contracted, right


def _multiplied(g: Graph, operands: list[Value], terms: list[str], groups: Groups) -> Value:
    """Nothing is contracted: a broadcast product over (batch, left, right)."""
    batch, left, _, right = groups
    a, b = (
        transposed(x, [term.index(c) for c in (*batch, *own)])
        for x, term, own in zip(operands, terms, (left, right), strict=True)
    )
    for _ in right:
        a = unsqueezed(g, a, a.rank)
    for _ in left:
        b = unsqueezed(g, b, len(batch))
    return g.elementwise("Mul", a, b)


def _contracted(g: Graph, operands: list[Value], terms: list[str], groups: Groups) -> Value:
    """(batch, left, contracted) x (batch, contracted, right)."""
    batch, left, inner, right = groups
    a = transposed(operands[0], [terms[0].index(c) for c in (*batch, *left, *inner)])
    b = transposed(operands[1], [terms[1].index(c) for c in (*batch, *inner, *right)])
    plain = not batch and left  # MatMul takes any number of axes on the left of a matrix
    first = merged(g, a, len(batch), [*([1] * len(left) if plain else [len(left)]), len(inner)])
    second = merged(g, b, len(batch), [len(inner), len(right)])
    y = g.op("MatMul", first, second, shape=(*first.shape[:-1], second.shape[-1]))
    wanted = (*a.shape[: len(batch) + len(left)], *b.shape[len(batch) + len(inner) :])
    if y.shape == wanted and len(right) == 1 and (plain or len(left) == 1):
        return y
    parts = [(a, axis) for axis in range(len(batch) + len(left))]
    parts += [(b, axis) for axis in range(len(batch) + len(inner), b.rank)]
    return reshaped_to(g, y, parts, wanted)


def merged(g: Graph, x: Value, kept: int, counts: Sequence[int]) -> Value:
    """Return `x` with its first `kept` axes, and then one axis for each group of so many; an empty group is of size 1."""
    if all(count == 1 for count in counts):
        return x
    shape: list[int | None] = list(x.shape[:kept])
    axis = kept
    for count in counts:
        group = x.shape[axis : axis + count]
        shape.append(None if None in group else math.prod(d or 0 for d in group))
        axis += count
    if isinstance(x, Constant):
        return x.reshape(*(d or 0 for d in shape))
    if shape[kept:].count(None) > 1 or (None in shape[kept:] and None in shape[:kept]):
        return g.op("Reshape", x, _merged_sizes(g, x, kept, counts), shape=tuple(shape), allowzero=_allow_zero(g))
    target = [-1 if d is None else d for d in shape] if shape.count(None) <= 1 else [0] * kept + shape[kept:]
    return g.op("Reshape", x, g.constant(target, np.int64), shape=tuple(shape))


def _merged_sizes(g: Graph, x: Value, kept: int, counts: Sequence[int]) -> Value:
    parts = [g.dimension(x, axis) for axis in range(kept)]
    axis = kept
    for count in counts:
        size: Value = g.constant([1], np.int64)
        for place in range(axis, axis + count):
            size = g.op("Mul", size, g.dimension(x, place))
        parts.append(size)
        axis += count
    return joined(g, parts)


def reshaped_to(g: Graph, x: Value, parts: Sequence[tuple[Value, int]], wanted: Shape) -> Value:
    """Reshape to the sizes of given axes of given tensors."""
    if wanted.count(None) <= 1:
        target: Value = g.constant([-1 if d is None else d for d in wanted], np.int64)
        return g.op("Reshape", x, target, shape=wanted)
    target = joined(g, [g.dimension(value, axis) for value, axis in parts])
    return g.op("Reshape", x, target, shape=wanted, allowzero=_allow_zero(g))


def _allow_zero(g: Graph) -> int | None:
    return 1 if g.supports_opset(14) else None


def _written(g: Graph, terms: Sequence[str], result: str, operands: Sequence[Value]) -> Value:
    """Write the op Einsum."""
    sizes = _sizes(operands, terms)
    letters = {c: chr(ord("a") + n) for n, c in enumerate(sorted(set("".join(terms))))}
    equation = ",".join("".join(letters[c] for c in term) for term in terms)
    equation += "->" + "".join(letters[c] for c in result)
    return g.op("Einsum", *operands, shape=tuple(sizes[c] for c in result), equation=equation)
