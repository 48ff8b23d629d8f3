"""This package's layers that are more than an activation: Linear, the normalizations, TopK, LabelScores."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import exporter.layers as own
from tests.formats.onnx.lowerings.exported import export, normal

HARD_ROWS = np.stack(
    [
        np.full(16, 3.7),
        1000 + 1e-4 * normal(16).astype("float64"),
        1e30 * normal(16).astype("float64"),
        np.full(16, 1e30),
        np.zeros(16),
    ]
).astype("float32")


def of(layer, shape):
    return export(keras.Sequential([keras.Input(shape), layer]))


@pytest.mark.parametrize(("shape", "ops"), [((5,), ["Gemm"]), ((3, 5), ["Add", "MatMul"])], ids=str)
def test_linear(shape, ops):
    exported = of(own.Linear(4), shape)
    exported.check(normal(2, *shape))
    exported.check(normal(0, *shape))
    assert sorted(exported.ops) == ops


@pytest.mark.parametrize("layer", [own.LayerNormalization, own.RMSNormalization])
def test_normalizations_keep_what_they_promise_of_hard_rows(layer):
    """ONNX Runtime's own op is off by 2.4 at 1e30 and by 7e-3 at 1000 ± 1e-4, so the layer's arithmetic is written."""
    exported = of(layer(epsilon=1e-6), (16,))
    exported.check(normal(3, 16))
    for row in HARD_ROWS:
        exported.check(row[None])


def test_normalization_over_several_axes():
    of(own.LayerNormalization(axis=[1, 2]), (3, 4, 2)).check(normal(2, 3, 4, 2))


def test_top_k_and_ties():
    exported = of(own.TopK(3), (6,))
    exported.check(normal(4, 6))
    exported.check(np.float32([[1, 2, 2, 2, 0, 1], [0, 0, 0, 0, 0, 0]]))


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_label_scores(threshold):
    exported = of(own.LabelScores(threshold), (5,))
    exported.check(normal(6, 5))
    exported.check(np.float32([[0.1, 0.2, 0.3, 0.3, 0], [0.5, 0.5, 0, 0, 0]]))
