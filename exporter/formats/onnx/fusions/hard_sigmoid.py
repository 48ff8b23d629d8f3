"""The hard sigmoid in steps: a line, slope · x + offset, held between 0 and 1. HardSigmoid is one node for four.

Many write relu6(x + 3) / 6, as Keras's MobileNetV3 does, which gains 1.05 from it (ONNX Runtime 1.32).
"""

from __future__ import annotations

import math
from typing import Any

from onnxscript.rewriter.pattern import OrValue

from exporter.formats.onnx.builder.graph import Graph
from exporter.formats.onnx.builder.value import Value
from exporter.formats.onnx.fusions.patterns import CLIPS
from exporter.formats.onnx.fusions.registry import Spelling, fuses

ROUNDING = 1e-6  # of 1 / 6 in float32, times 6


def _unit_clips(clip: Spelling) -> tuple[Spelling, Spelling]:
    return (
        lambda op, x, slope, offset: clip(op, op.Add(op.Mul(x, slope), offset), 0, 1),
        lambda op, x, shift, divisor: clip(op, op.Div(op.Add(x, shift), divisor), 0, 1),
    )


@fuses(*(spelling for clip in CLIPS for spelling in _unit_clips(clip)))
def unit_clip(
    g: Graph, x: Value, slope: float = 1, offset: float = 0, shift: float = 0, divisor: float = 1
) -> Value | None:
    """Hold slope · x + offset, or (x + shift) / divisor, between 0 and 1."""
    return _hard_sigmoid(g, x, slope / divisor, offset + shift / divisor) if divisor else None


def _any_clip(op: Any, x: Any, high: Any) -> Any:
    return OrValue([clip(op, x, 0, high) for clip in CLIPS])


@fuses(
    lambda op, x, shift, high, factor: op.Mul(_any_clip(op, op.Add(x, shift), high), factor),
    lambda op, x, shift, high, divisor: op.Div(_any_clip(op, op.Add(x, shift), high), divisor),
)
def scaled_clip(g: Graph, x: Value, shift: float, high: float, factor: float = 1, divisor: float = 1) -> Value | None:
    """Hold x + shift between 0 and `high`, scaled so that `high` becomes 1."""
    scale = factor / divisor if divisor else math.inf
    if not math.isclose(high * scale, 1, rel_tol=ROUNDING):
        return None
    return _hard_sigmoid(g, x, scale, shift * scale)


@fuses(lambda op, x, shift, high, divisor: op.Div(op.Mul(x, _any_clip(op, op.Add(x, shift), high)), divisor))
def hard_swish(g: Graph, x: Value, shift: float, high: float, divisor: float) -> Value | None:
    """Compute x times the hard sigmoid, where the product is scaled."""
    gate = scaled_clip(g, x, shift, high, divisor=divisor)
    return gate and g.elementwise("Mul", x, gate)


def _hard_sigmoid(g: Graph, x: Value, slope: float, offset: float) -> Value | None:
    if not math.isfinite(slope + offset):
        return None
    return g.elementwise("HardSigmoid", x, alpha=slope, beta=offset)
