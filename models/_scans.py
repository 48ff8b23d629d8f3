"""Scans of handwritten digits, 8 x 8 pixels, bundled with scikit-learn.

1,797 scans by 43 writers, from: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits",
UCI Machine Learning Repository, https://doi.org/10.24432/C50P49
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np

TEST_SIZE = 450  # a quarter
SPLIT_SEED = 0


class Scans(NamedTuple):
    """Images, uint8 (n, 8, 8), 0 paper to 255 ink; digits, int32 (n,), 0 to 9."""

    images: np.ndarray
    digits: np.ndarray


def scans(part: Literal["train", "test"]) -> Scans:
    """Return one of the two parts, each with every digit in the same proportion."""
    return _split()[part]


@cache
def _split() -> dict[str, Scans]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    images = np.round(data.images * (255 / 16)).astype(np.uint8)  # the file counts ink from 0 to 16
    digits = data.target.astype(np.int32)
    rows = np.arange(len(digits))
    train, test = train_test_split(rows, test_size=TEST_SIZE, random_state=SPLIT_SEED, stratify=digits)
    return {"train": Scans(images[train], digits[train]), "test": Scans(images[test], digits[test])}
