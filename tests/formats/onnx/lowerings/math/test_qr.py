"""QR decomposition of tall, wide and square matrices, reduced and complete."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 4), (1, 1)], ids=str)
def test_both_modes(shape):
    function = inside(lambda a: [*ops.qr(a), *ops.qr(a, mode="complete")])
    exported = export(model_of(function, ((None, *shape), "float32")))
    exported.check(normal(3, *shape))
    for size in (1e-30, 1e-20, 100):  # beyond 1e18 Keras itself gives NaN
        exported.check(normal(2, *shape) * np.float32(size))
    exported.check(normal(0, *shape))
