"""QR decomposition of tall, wide and square matrices, reduced and complete."""

from __future__ import annotations

import pytest
from keras import ops

from tests.lowerings.onnx.exported import export, inside, model_of, normal


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 4), (1, 1)], ids=str)
def test_both_modes(shape):
    function = inside(lambda a: [*ops.qr(a), *ops.qr(a, mode="complete")])
    exported = export(model_of(function, ((None, *shape), "float32")))
    exported.check(normal(3, *shape))
    exported.check(100 * normal(1, *shape))
