"""The one table of tolerances, each with its reason. Tests take theirs from here too.

A tolerance is no fixed number: it follows Keras's own rounding error E = max |Keras in float32 - reference| and the
scale S = max |reference|, both per output and case, so that it fits shallow and deep, well and badly conditioned models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Tolerance:
    """The largest error that passes: max(factor · E, steps · eps · S, smallest).

    Args:
        factor: how many times Keras's own error another order of summation may reach.
        steps: least allowance, in units in the last place of the scale.
        eps: relative distance of neighbouring numbers of the dtype.
        smallest: least normal number; what lies below counts as zero, since some runtimes flush it and some do not.
        reason: why these numbers.
    """

    factor: float
    steps: float
    eps: float
    smallest: float
    reason: str

    def bound(self, keras_error: float, scale: float) -> float:
        """Return the largest error that passes where Keras is `keras_error` off and the largest value is `scale`."""
        return max(self.factor * keras_error, self.steps * self.eps * scale, self.smallest)


@dataclass(frozen=True)
class DrawRule:
    """How far a file may go beyond the draws of Monte Carlo arithmetic (`rounding_noise`).

    Args:
        factor: times the furthest draw, over all elements that float32 determines.
        elsewhere: times the furthest draw, over those that it does not determine; few draws see little of a wide spread.
        reason: why these numbers.
    """

    factor: float
    elsewhere: float
    reason: str


DRAWS = DrawRule(
    factor=4,
    elsewhere=8,
    reason="right files go twice as far as the furthest of a few draws where a kernel begins its sum with a large bias; "
    "of visible faults 99 % go further than this (benchmarks/verification.py)",
)

EXACT = Tolerance(0, 0, 0, 0, "integers, booleans and strings have no rounding")

# By the dtype that Keras returns.
WITH_REFERENCE: Mapping[str, Tolerance] = MappingProxyType(
    {
        "float64": Tolerance(
            4, 1024, 2.0**-52, 2.0**-1022, "the reference is no better than Keras: E is 0, allow sums"
        ),
        "float32": Tolerance(4, 16, 2.0**-23, 2.0**-126, "no false alarm on right conversions; found 24 of 30 bugs"),
        "float16": Tolerance(4, 4, 2.0**-11, 2.0**-14, "half a step of the 11-bit significand, four times"),
        "bfloat16": Tolerance(4, 4, 2.0**-8, 2.0**-126, "half a step of the 8-bit significand, four times"),
    }
)

# Where no float64 reference can be made, Keras's own error is unknown and E is 0. Sums of n terms are off by about
# sqrt(n) steps: 512 steps cover the depth and width of common models at 6e-5 of the scale.
WITHOUT_REFERENCE: Mapping[str, Tolerance] = MappingProxyType(
    {
        "float64": Tolerance(0, 1024, 2.0**-52, 2.0**-1022, "other order of summation"),
        "float32": Tolerance(0, 512, 2.0**-23, 2.0**-126, "Keras's rounding and the artifact's, both unknown"),
        "float16": Tolerance(0, 64, 2.0**-11, 2.0**-14, "likewise; half precision accumulates errors layer by layer"),
        "bfloat16": Tolerance(0, 64, 2.0**-8, 2.0**-126, "likewise"),
    }
)


_HALF_STEPS: Mapping[str, float] = MappingProxyType(
    {"float16": 2.0**-11}
)  # bfloat16 is handed out as float32, unrounded


def rounded_to(dtype: str) -> float:
    """Return what writing a float32 as `dtype` costs, relative to the scale: half a step."""
    return _HALF_STEPS.get(dtype, 0.0)


def tolerance_for(dtype: str, *, reference: str = "float64") -> Tolerance:
    """Return the tolerance for an output that Keras returns as `dtype`.

    Args:
        dtype: "float32", "int64", "string" and so on.
        reference: what the outputs are compared with, "float64" or "float32" (Keras itself).
    """
    table = WITH_REFERENCE if reference == "float64" else WITHOUT_REFERENCE
    if dtype in ("complex64", "complex128"):
        dtype = {"complex64": "float32", "complex128": "float64"}[dtype]
    return table.get(dtype, EXACT)


__all__ = [
    "DRAWS",
    "EXACT",
    "WITHOUT_REFERENCE",
    "WITH_REFERENCE",
    "DrawRule",
    "Tolerance",
    "rounded_to",
    "tolerance_for",
]
