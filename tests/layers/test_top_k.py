from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from exporter.layers import TopK


def test_scores_descend_and_positions_point_at_them() -> None:
    x = np.random.default_rng(0).standard_normal((5, 3, 10)).astype("float32")
    scores, positions = (ops.convert_to_numpy(output) for output in TopK(4)(x))
    assert scores.shape == positions.shape == (5, 3, 4)
    assert scores.dtype == "float32"
    assert positions.dtype == "int32"
    np.testing.assert_array_equal(scores, -np.sort(-x)[..., :4])
    np.testing.assert_array_equal(np.take_along_axis(x, positions, -1), scores)


def test_integer_scores_stay_integers() -> None:
    scores, _ = TopK(1)(np.int32([[3, 9, 5]]))
    assert keras.utils.standardize_dtype(scores.dtype) == "int32"
    assert ops.convert_to_numpy(scores) == 9


@pytest.mark.parametrize(
    ("k", "error", "message"),
    [
        (0, ValueError, "TopK: `k` must be an integer of at least 1, not 0"),
        ("3", TypeError, "TopK: `k` must be an integer, not '3'"),
    ],
)
def test_wrong_k_is_refused(k: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TopK(k)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`k` is 4, but an input of shape \(None, 3\) has 3 scores .* at most 3"):
        TopK(4)(keras.Input((3,)))
