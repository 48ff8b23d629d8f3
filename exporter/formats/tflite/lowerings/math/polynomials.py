"""Polynomials and continued evaluation of functions that TFLite has no op for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def horner(x: Any, coefficients: Sequence[float]) -> Any:
    """Return c0 + c1 x + c2 x² + …, by Horner's rule."""
    *rest, result = coefficients
    for coefficient in reversed(rest):
        result = result * x + coefficient
    return result
