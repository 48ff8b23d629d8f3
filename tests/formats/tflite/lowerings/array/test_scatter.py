"""Writing at places: infinities, places named twice, sums and extremes by segment."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests.conformance.cases.case import inside
from tests.formats.tflite.conftest import normal

PLACES = {"distinct": [[0, 1], [0, 3]], "twice": [[0, 2], [0, 0], [0, 2]]}


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_writing(layer, places):
    updates = np.arange(8.0, 8.0 + len(places), dtype="float32")

    def call(x):
        written = [ops.scatter_update(x, places, updates)]
        written += [
            ops.scatter_update(x, ops.array(places), ops.array(updates), reduction=r)
            for r in ("add", "max", "min", "mul")
        ]
        return (
            *written,
            ops.slice_update(x, (0, 1), ops.convert_to_tensor(updates[None, :2])),
            ops.scatter_update(x, [[0]], x[:, ::-1]),
        )

    exported = layer(inside(call), (5,))
    exported.agrees(normal(1, 5), np.array([[np.inf, 1.0, -np.inf, 2.0, np.nan]], "float32"))


def test_integers_and_computed_places(layer):
    def call(x):
        return ops.scatter_update(x, x[:, :2, None] * [[[0, 1]]], [[7, 8]]), ops.scatter(x[0, :, None], x[0], (9,))

    layer(inside(call), (4,), dtype="int32").agrees(
        np.array([[1, 0, 3, 3]], "int32"), np.array([[2, 2, 8, 1]], "int32")
    )


def test_segments(layer):
    ids = np.array([0, 2, 2, 0, 3, 3], "int32")
    functions = (ops.segment_sum, ops.segment_max, ops.segment_min, ops.segment_prod)

    def call(x):
        rows = ops.transpose(x)
        return [f(rows, ids, num_segments=5) for f in functions] + [tf.math.unsorted_segment_mean(rows, ids, 5)]

    exported = layer(inside(call), (6,))
    exported.agrees(normal(1, 6), np.array([[np.inf, 1.0, 2.0, 3.0, np.nan, 0.0]], "float32"))
