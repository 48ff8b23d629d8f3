"""Products of vectors in space."""

from __future__ import annotations

import numpy as np
from keras import ops

from tests.formats.tflite.conftest import normal


def test_cross_product(layer):
    exported = layer(lambda a, b: [ops.cross(a, b), ops.cross(a[..., :2], b[..., :2])], (4, 3), (4, 3))
    infinite = normal(1, 4, 3)
    infinite[0, 0] = [np.inf, 0, 1]
    exported.agrees([normal(1, 4, 3), normal(1, 4, 3, seed=1)], [infinite, np.ones((1, 4, 3), "float32")])
