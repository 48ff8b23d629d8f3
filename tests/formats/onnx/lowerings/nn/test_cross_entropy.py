"""Cross-entropy of scores against distributions and labels, scores that overflow exp, scores of -Inf and NaN."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, model_of, normal

HARD = np.array([[1e30, -1e30, 0], [88, 89, 90], [-np.inf, 0, 1], [0, 0, 0], [1, np.nan, 0]], "float32")


@pytest.mark.parametrize("from_logits", [True, False])
def test_distributions(from_logits):
    model = model_of(
        lambda y, x: ops.categorical_crossentropy(y, x, from_logits=from_logits),
        ((None, 3), "float32"),
        ((None, 3), "float32"),
    )
    exported = export(model)
    scores = normal(7, 3) if from_logits else np.abs(normal(7, 3))
    exported.check(np.eye(3, dtype="float32")[[0, 1, 2, 2, 1, 0, 0]], scores)
    exported.check(np.full((7, 3), 1 / 3, "float32"), scores)
    exported.check(np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32"))
    if from_logits:
        exported.check(np.eye(3, dtype="float32")[[0, 1, 2, 0, 0]], HARD)
        assert exported.ops["LogSoftmax"] == 1


@pytest.mark.parametrize("from_logits", [True, False])
def test_labels(from_logits):
    model = model_of(
        lambda y, x: ops.sparse_categorical_crossentropy(y, x, from_logits=from_logits),
        ((None,), "int32"),
        ((None, 3), "float32"),
    )
    exported = export(model)
    scores = normal(5, 3) if from_logits else np.abs(normal(5, 3))
    exported.check(np.array([0, 1, 2, 2, 0], "int32"), scores)
    if from_logits:
        exported.check(np.array([0, 1, 2, 0, 0], "int32"), HARD)
    assert exported.ops["LogSoftmax"] == 1


def test_scores_of_float64():
    """Of which ONNX Runtime's LogSoftmax makes numbers where one is NaN."""

    def function(x, y):
        sparse = ops.sparse_categorical_crossentropy(y, x, from_logits=True)
        return sparse, ops.categorical_crossentropy(ops.one_hot(y, 3, dtype="float64"), x, from_logits=True)

    exported = export(model_of(function, ((None, 3), "float64"), ((None,), "int32")))
    exported.check(HARD.astype("float64"), np.array([0, 1, 2, 0, 0], "int32"))
    exported.check(normal(3, 3).astype("float64"), np.array([2, 1, 0], "int32"))
