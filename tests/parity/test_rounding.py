"""Jittered copies: enough of them, near the original, and nothing that changes what a value means."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.parity.rounding import ENOUGH, JITTER, MOST_COPIES, copies_needed, jittered

ROWS = frozenset({"x", "n", "t"})


@pytest.mark.parametrize(("size", "copies"), [(1, MOST_COPIES), (10, 6), (ENOUGH - 1, 1), (ENOUGH, 0), (1000, 0)])
def test_small_outputs_need_copies(size, copies):
    assert copies_needed({"y": np.zeros(size), "z": np.zeros(5000)}) == copies


def test_empty_outputs_need_none():
    assert copies_needed({"y": np.zeros((0, 3))}) == 0


def test_floats_move_a_little_and_zeros_stay():
    x = np.array([[1.0, 0.0, -1000.0]], dtype="float32")
    copied = jittered({"x": x}, 500, ROWS, frozenset())["x"]
    assert copied.shape == (500, 3)
    assert copied.dtype == np.float32
    assert (copied[:, 1] == 0).all()
    relative = copied[:, [0, 2]] / x[:, [0, 2]] - 1
    assert relative.std() == pytest.approx(JITTER, rel=0.2)
    assert len(np.unique(copied[:, 0])) > 300


def test_indices_are_shuffled_not_changed():
    tokens = np.array([[1.0, 2.0], [3.0, 4.0]], dtype="float32")
    copied = jittered({"t": tokens}, 3, ROWS, frozenset({"t"}))["t"]
    assert copied.shape == (6, 2)
    assert sorted(copied[:2].ravel()) == [1, 2, 3, 4]


@pytest.mark.parametrize("array", [np.array([[True, False]]), np.array([["a", "b"]], dtype=object), np.array([[3, 4]])])
def test_masks_words_and_counts_stay(array):
    copied = jittered({"n": array}, 2, ROWS, frozenset())["n"]
    np.testing.assert_array_equal(copied, np.concatenate([array, array]))


def test_half_floats_do_move():
    x = np.ones((1, 4), dtype="float16")
    assert (jittered({"x": x}, 8, ROWS, frozenset())["x"] != 1).any()


def test_bytes_move_by_one_step_within_their_range_and_zeros_stay():
    x = np.array([[0, 1, 100, 255]], dtype="uint8")
    copied = jittered({"x": x}, 50, ROWS, frozenset())["x"]
    assert copied.dtype == np.uint8
    assert [sorted(set(column.tolist())) for column in copied.T] == [[0], [1, 2], [99, 100, 101], [254, 255]]
