"""What is fused: patterns of nodes, and the lowering that is written in their place.

    @fuses(lambda op, x, slope, offset: op.Clip(x * slope + offset, 0, 1))
    def hard_sigmoid(g: Graph, x: Value, slope: float, offset: float) -> Value | None: ...

A pattern is a function as `onnxscript.rewriter` takes it; operands of sums, products and extremes match in either order, unless
there would be hundreds of orders (`any_order=False`). The
lowering takes what the names in the pattern stand for: a number where it is annotated so, else a tensor, its axes as the file
has them. It returns None if it is not what it looked like; then the nodes stay.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import onnx_ir as ir
from onnxscript.rewriter.pattern import OpsetPatternBuilder, RewriteRule, Var

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value

Spelling = Callable[..., Any]
Lowering = Callable[..., Value | None]
F = TypeVar("F", bound=Lowering)


@dataclass(frozen=True)
class Fusion:
    """One function that has a better form than its steps.

    Args:
        spellings: the patterns.
        lowering: writes the better form.
        any_order: whether operands of sums, products and extremes match in either order.
    """

    spellings: Sequence[Spelling]
    lowering: Lowering
    any_order: bool

    def rules(self, kind: str) -> list[RewriteRule]:
        """Return the patterns that end in an op of this type, in every order of operands."""
        return self._rules.get(kind, [])

    @functools.cached_property
    def _rules(self) -> dict[str, list[RewriteRule]]:
        rules: dict[str, list[RewriteRule]] = {}
        for spelling in self.spellings:
            rule = RewriteRule(spelling, self.lowering)
            rules.setdefault(_last(spelling), []).extend(rule.commute() if self.any_order else [rule])
        return rules

    def written(self, g: Graph, bindings: Mapping[str, ir.Value]) -> Value | None:
        """Write the better form of what a pattern matched, given the values for its names; None if it is not that."""
        arguments: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(self.lowering).parameters.items())[1:]:
            if name not in bindings:
                continue  # a spelling without it
            value = bindings[name]
            is_number = parameter.annotation in ("float", float)
            arguments[name] = number(value) if is_number else g.filed(value)
            if arguments[name] is None:
                return None
        return self.lowering(g, **arguments)


FUSIONS: list[Fusion] = []


def fuses(*spellings: Spelling, any_order: bool = True) -> Callable[[F], F]:
    """Register a lowering `(g, **matched)` for what some patterns match."""

    def enter(lowering: F) -> F:
        FUSIONS.append(Fusion(spellings, lowering, any_order))
        return lowering

    return enter


def _last(spelling: Spelling) -> str:
    """Return the type of the op that a pattern ends in."""
    names = list(inspect.signature(spelling).parameters)[1:]
    return str(spelling(OpsetPatternBuilder(""), *map(Var, names)).producer().op_type)


def number(value: ir.Value) -> float | None:
    """Return the number that a value is; None if it is computed, or has axes."""
    held = value.const_value
    if held is None or held.shape.rank() != 0:
        return None
    return float(held.numpy().item())
