from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from exporter.layers import LabelScores

SCORES = np.float32([[0.1, 0.7, 0.2], [0.4, 0.3, 0.3], [0.0, 0.5, 0.5]])


def _decisions(x: np.ndarray, threshold: float | None = None) -> tuple[list[int], list[float]]:
    labels, scores = (ops.convert_to_numpy(output) for output in LabelScores(threshold)(x))
    assert labels.dtype == "int32"
    return labels.tolist(), scores.tolist()


def test_the_best_label_and_its_score() -> None:
    labels, scores = _decisions(SCORES)
    assert labels == [1, 0, 1]
    assert scores == pytest.approx([0.7, 0.4, 0.5])


def test_below_the_threshold_the_label_is_unknown_and_the_score_remains() -> None:
    labels, scores = _decisions(SCORES, threshold=0.5)
    assert labels == [1, -1, 1]
    assert scores == pytest.approx([0.7, 0.4, 0.5])


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_a_single_class(threshold: float | None) -> None:
    assert _decisions(np.float32([[0.9]]), threshold)[0] == [0]


def test_a_row_of_nan_is_unknown() -> None:
    assert _decisions(np.full((1, 3), np.nan, "float32"), threshold=0.5)[0] == [-1]


def test_wrong_threshold_is_refused() -> None:
    with pytest.raises(TypeError, match="LabelScores: `threshold` must be a number, not 'high'"):
        LabelScores("high")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="LabelScores: `threshold` must be a finite number"):
        LabelScores(float("nan"))
