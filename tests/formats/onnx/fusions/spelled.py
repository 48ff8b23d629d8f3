"""Models that spell a function out, exported and held against Keras."""

from __future__ import annotations

import numpy as np

from tests.formats.onnx.lowerings.exported import Exported, export, model_of

X = np.float32([[-4, -3, -1.5, 0], [2.999, 3, 7, -0.0], [1e-7, -1e-7, 30, -30], [88, -88, 89, -89]])
SPECIAL = np.float32([[np.nan, np.inf, -np.inf, 1], [1e30, -1e30, 104, -104]])
TENSOR = ((None, 4), "float32")


def exported(function, *inputs) -> Exported:
    """Export `function` of an input of 4 features, or of inputs of other shapes and dtypes."""
    return export(model_of(function, *(inputs or (TENSOR,))))


def check(function, *arrays: np.ndarray) -> dict[str, int]:
    """Assert that the file of `function` computes what Keras computes, also of NaN and Inf; return its ops."""
    made = exported(function)
    for array in arrays or (X, SPECIAL, X[:0]):
        made.check(array)
    return dict(made.ops)
