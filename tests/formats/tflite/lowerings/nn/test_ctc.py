"""Greedy decoding: repeats, blanks, lengths."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from exporter.errors import UnsupportedError
from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal


def scores(*classes: int) -> np.ndarray:
    """Return scores of 4 classes whose best are `classes`."""
    return (5.0 * np.eye(4, dtype="float32")[list(classes)] + 0.1 * normal(len(classes), 4))[None]


@pytest.mark.parametrize("options", [{}, {"merge_repeated": False}, {"mask_index": 3}, {"mask_index": -1}], ids=str)
def test_repeats_and_blanks(export, options):
    x, lengths = keras.Input((7, 4)), keras.Input((), dtype="int32")
    y = inside(lambda x, n: ops.ctc_decode(x, n, **options))(x, lengths)
    exported = export(keras.Model([x, lengths], y), batch="dynamic")
    path = scores(1, 1, 0, 1, 2, 3, 3)
    for length in (7, 4, 1, 0):
        exported.agrees([path, np.array([length], "int32")])
    ties = np.zeros((1, 7, 4), "float32")
    exported.agrees([np.concatenate([path, ties, scores(0, 0, 0, 0, 0, 0, 0)]), np.array([7, 7, 7], "int32")])


def test_search_by_beams_is_refused(export):
    x = keras.Input((7, 4))
    y = inside(lambda x: ops.ctc_decode(x, [7], strategy="beam_search")[0])(x)
    with pytest.raises(UnsupportedError, match="CTCBeamSearchDecoder"):
        export(keras.Model(x, y))
