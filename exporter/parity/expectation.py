"""What an output should be in one case: Keras's values, the reference's, and the tolerance that follows from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exporter.parity.tolerances import tolerance_for


@dataclass(frozen=True)
class Expectation:
    """One output in one case.

    Args:
        output: name of the output.
        keras: what Keras computes, in the output's dtype.
        reference: the same in float64 (complex128); `keras` itself where there is no better reference.
        keras_error: E, max |keras - reference| where both are finite.
        scale: S, max |reference| where it is finite.
        tolerance: the largest error that passes.
    """

    output: str
    keras: np.ndarray
    reference: np.ndarray
    keras_error: float
    scale: float
    tolerance: float

    @property
    def dtype(self) -> str:
        """The dtype's name, as in `exporter.spec.TensorInfo`: strings are "string"."""
        return dtype_name(self.keras)


def expect(output: str, keras: np.ndarray, reference: np.ndarray | None) -> Expectation:
    """Measure Keras against the reference; without one (None) Keras is the reference, at a wider tolerance."""
    dtype = dtype_name(keras)
    rule = tolerance_for(dtype, reference="float32" if reference is None else "float64")
    truth = keras if reference is None else reference
    if not is_inexact(keras):
        return Expectation(output, keras, truth, 0.0, 0.0, rule.bound(0.0, 0.0))
    error = largest(np.abs(widest(keras) - widest(truth)), np.isfinite(widest(keras)) & np.isfinite(widest(truth)))
    scale = largest(np.abs(widest(truth)), np.isfinite(widest(keras)) & np.isfinite(widest(truth)))
    return Expectation(output, keras, truth, error, scale, rule.bound(error, scale))


def expect_all(keras: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray] | None) -> tuple[Expectation, ...]:
    """Return an expectation per output, in Keras's order."""
    return tuple(expect(name, value, None if reference is None else reference[name]) for name, value in keras.items())


def is_inexact(array: np.ndarray) -> bool:
    """Whether values are rounded: floats (also bfloat16, which NumPy does not know) and complex numbers."""
    return np.issubdtype(array.dtype, np.inexact) or "float" in array.dtype.name


def widest(array: np.ndarray) -> np.ndarray:
    """Return floats as float64 and complex numbers as complex128."""
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64, copy=False)


def largest(values: np.ndarray, where: np.ndarray) -> float:
    """Return the largest of `values` at `where`; 0 if there is none."""
    return float(np.max(values, where=where, initial=0.0))


def dtype_name(array: np.ndarray) -> str:
    """Return TensorFlow's name of a dtype: byte and text arrays are "string"."""
    return "string" if array.dtype.kind in "OSU" else array.dtype.name
