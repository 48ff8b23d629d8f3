"""Where LiteRT's kernels, XNNPACK's for most ops, do not compute what the op means, and other forms would cost too much.

Measured on ai-edge-litert 2.3 (x86-64). Keeping LOGISTIC's argument within bounds would take 1.3x to 1.7x the time of a
swish or sigmoid, EXP's NaN 2.5x; the rest has no other form. Subnormal numbers count as 0 everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_EXTREME = "may return the other number for NaN"

LIMITS: Mapping[str, str] = {
    "AVERAGE_POOL_2D": "-inf for NaN",
    "COS": "wrong beyond ±7e5, NaN from 1e19 on",
    "EXP": "0 for NaN, inf from 88.38 on",
    "LOG": "inf from 2.41e38 on, or 88.38 for inf, by the CPU",
    "LOGISTIC": "NaN beyond ±5e26",
    "MAXIMUM": _EXTREME,
    "MAX_POOL_2D": "passes over NaN",
    "MINIMUM": _EXTREME,
    "REDUCE_MAX": "passes over NaN",
    "REDUCE_MIN": "passes over NaN",
    "RSQRT": "wrong from 8.6e37 on",
    "SIN": "wrong beyond ±1e6, NaN from 1e19 on",
    "SOFTMAX": "NaN in the whole row for NaN in it",
    "SQRT": "wrong from 8.6e37 on",
    "TOPK_V2": "takes NaN for the smallest",
}


def limits_of(ops: Iterable[str]) -> dict[str, str]:
    """Return the limits of the ops in a file, by op."""
    return {op: LIMITS[op] for op in sorted(ops) if op in LIMITS}
