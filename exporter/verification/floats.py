"""Arrays of any dtype seen as numbers to compare."""

from __future__ import annotations

import numpy as np


def is_inexact(array: np.ndarray) -> bool:
    """Whether values are rounded: floats (also bfloat16, which NumPy does not know) and complex numbers."""
    return np.issubdtype(array.dtype, np.inexact) or "float" in array.dtype.name


def widest(array: np.ndarray) -> np.ndarray:
    """Return floats as float64 and complex numbers as complex128."""
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64, copy=False)


def largest(values: np.ndarray, where: np.ndarray) -> float:
    """Return the largest of `values` at `where`; 0 if there is none."""
    return float(np.max(values, where=where, initial=0.0))


def stands_for(found: str, wanted: str) -> bool:
    """Whether a file may take or give `found` where Keras has `wanted`.

    float32 holds every bfloat16, which runtimes do not hand out: ONNX Runtime 1.32 has no NumPy type for it.
    """
    return found == wanted or (found, wanted) == ("float32", "bfloat16")


def dtype_name(array: np.ndarray) -> str:
    """Return TensorFlow's name of a dtype: byte and text arrays are "string"."""
    return "string" if array.dtype.kind in "OSU" else array.dtype.name


def kinds_of(array: np.ndarray) -> np.ndarray:
    """Return one bit per element for what it is: 1 finite, 2 NaN, 4 +Inf, 8 -Inf; 16 times that for an imaginary part."""
    values = widest(array)
    if np.iscomplexobj(values):
        return kinds_of(values.real) | (kinds_of(values.imag) << 4)
    kinds = np.ones(values.shape, np.uint8)
    for bit, test in ((2, np.isnan), (4, np.isposinf), (8, np.isneginf)):
        kinds[test(values)] = bit
    return kinds
