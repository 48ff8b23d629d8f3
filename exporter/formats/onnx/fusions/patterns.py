"""Parts of patterns that several functions have in common."""

from __future__ import annotations

import functools
from typing import Any

from onnxscript.rewriter.pattern import OrValue

from exporter.formats.onnx.fusions.registry import Spelling


def unchanged(op: Any, x: Any) -> Any:
    """Match x."""
    return x


def by_sign(below: Spelling, above: Spelling = unchanged) -> tuple[Spelling, Spelling]:
    """Match a Where that takes `above` where x is positive and `below` where it is negative; 0 may count as either.

    The names in it are those of `below`; `above` has x only.
    """

    @functools.wraps(below)
    def positive(op: Any, x: Any, *others: Any) -> Any:
        condition = OrValue([op.Greater(x, 0), op.GreaterOrEqual(x, 0)])
        return op.Where(condition, above(op, x), below(op, x, *others))

    @functools.wraps(below)
    def negative(op: Any, x: Any, *others: Any) -> Any:
        condition = OrValue([op.Less(x, 0), op.LessOrEqual(x, 0)])
        return op.Where(condition, below(op, x, *others), above(op, x))

    return positive, negative


def times_sigmoid(op: Any, factor: Any, x: Any) -> Any:
    """Match factor · sigmoid(x), or the quotient factor / (1 + exp(-x))."""
    return OrValue([op.Mul(factor, op.Sigmoid(x)), op.Div(factor, op.Add(op.Exp(op.Neg(x)), 1))])


def clip(op: Any, x: Any, low: Any, high: Any) -> Any:
    """Match x held between `low` and `high`."""
    return op.Clip(x, low, high)


def maximum_of_minimum(op: Any, x: Any, low: Any, high: Any) -> Any:
    """Match max(min(x, high), low)."""
    return op.Max(op.Min(x, high), low)


def minimum_of_maximum(op: Any, x: Any, low: Any, high: Any) -> Any:
    """Match min(max(x, low), high)."""
    return op.Min(op.Max(x, low), high)


CLIPS = (clip, maximum_of_minimum, minimum_of_maximum)
